// Microsoft's own Graph types turned into JSON Schema that refuses unknown members.
import { createRequire } from 'node:module';
import { createGenerator } from 'ts-json-schema-generator';

const wanted = ['Event', 'Calendar', 'Subscription', 'User', 'ChangeNotificationCollection'];

export function graphContract() {
  const path = createRequire(import.meta.url).resolve(
    '@microsoft/microsoft-graph-types/microsoft-graph.d.ts',
  );
  const generator = createGenerator({
    path, skipTypeCheck: true, additionalProperties: false, topRef: true,
  });
  const definitions = {};
  for (const type of wanted) Object.assign(definitions, generator.createSchema(type).definitions);
  // ResourceData is an open type: the service puts id and etag there.
  for (const [name, schema] of Object.entries(definitions)) {
    if (name.startsWith('ResourceData')) schema.additionalProperties = true;
  }
  return { definitions };
}

// What each operation sends and answers; `many` marks `{"value": [...]}`.
export const graphOperations = {
  'microsoft.me': { answers: 'User' },
  'microsoft.calendars.list': { answers: 'Calendar', many: true },
  'microsoft.calendars.get': { answers: 'Calendar' },
  'microsoft.events.list': { answers: 'Event', many: true },
  'microsoft.events.instances': { answers: 'Event', many: true },
  'microsoft.events.get': { answers: 'Event' },
  'microsoft.events.create': { sends: 'Event', answers: 'Event' },
  'microsoft.events.update': { sends: 'Event', answers: 'Event' },
  'microsoft.events.delete': {},
  'microsoft.view.list': { answers: 'Event', many: true },
  'microsoft.view.delta': { answers: 'Event', many: true },
  'microsoft.subscriptions.list': { answers: 'Subscription', many: true },
  'microsoft.subscriptions.get': { answers: 'Subscription' },
  'microsoft.subscriptions.create': { sends: 'Subscription', answers: 'Subscription' },
  'microsoft.subscriptions.update': { sends: 'Subscription', answers: 'Subscription' },
  'microsoft.subscriptions.delete': {},
  'microsoft.subscriptions.reauthorize': {},
  'microsoft.webhook': { sends: 'ChangeNotificationCollection' },
};

// OData annotations are not part of the types.
export function withoutAnnotations(value) {
  if (Array.isArray(value)) return value.map(withoutAnnotations);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !name.includes('@'))
      .map(([name, inner]) => [name, withoutAnnotations(inner)]),
  );
}
