// Validates request logs of the fakes (GET /_control/log, or what DAYBIND_FAKES_LOG_DIR collects)
// against Google's discovery document and Microsoft's Graph types.
// Usage: npm run check-log -- log.json... [--discovery calendar.v3.json]
// Exits 1 naming operation, side and JSON path of everything that breaks the contract, and when there
// was nothing to check.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import { googleContract } from './google-schema.mjs';
import { graphContract, graphOperations, withoutAnnotations } from './graph-schema.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true, options: { discovery: { type: 'string' } },
});
if (positionals.length === 0) {
  console.error('usage: npm run check-log -- <log.json>... [--discovery <calendar.v3.json>]');
  process.exit(2);
}

const ajv = addFormats(new Ajv({ allErrors: true, strict: false, allowUnionTypes: true }));
const google = googleContract(values.discovery);
ajv.addSchema({ $id: 'google', definitions: google.definitions });
ajv.addSchema({ $id: 'graph', definitions: graphContract().definitions });
const string = { type: 'string' };
ajv.addSchema({
  $id: 'errors',
  definitions: {
    google: {
      type: 'object', required: ['error'], additionalProperties: false,
      properties: {
        error: {
          type: 'object', required: ['code', 'message', 'errors'], additionalProperties: false,
          properties: {
            code: { type: 'integer' }, message: string, status: string,
            errors: {
              type: 'array',
              items: {
                type: 'object', required: ['domain', 'reason', 'message'], additionalProperties: false,
                properties: { domain: string, reason: string, message: string, location: string, locationType: string },
              },
            },
          },
        },
      },
    },
    graph: {
      type: 'object', required: ['error'], additionalProperties: false,
      properties: {
        error: {
          type: 'object', required: ['code', 'message'], additionalProperties: false,
          properties: { code: string, message: string, innerError: { type: 'object' } },
        },
      },
    },
  },
});

const problems = [];
let checked = 0;
let entries = 0;

function check(entry, side, reference, body) {
  const validate = ajv.getSchema(reference);
  if (!validate) throw new Error(`no schema ${reference}`);
  checked += 1;
  if (validate(body)) return;
  for (const error of validate.errors) {
    const extra = error.params.additionalProperty ?? error.params.allowedValues?.join('|') ?? '';
    problems.push(`#${entry.seq} ${entry.operation} ${side} ${error.instancePath || '/'}: ${error.message} ${extra}`);
  }
}

const withoutNulls = (value) => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, v]) => v !== null).map(([k, v]) => [k, withoutNulls(v)]),
  );
};

function checkGoogle(entry) {
  const method = google.method(entry.operation);
  if (!method) return;
  const allowed = google.parameters(method);
  for (const [name] of new URLSearchParams(entry.query)) {
    if (!allowed.has(name)) problems.push(`#${entry.seq} ${entry.operation} query: unknown parameter ${name}`);
  }
  if (entry.status >= 400) {
    if (entry.response) check(entry, 'response', 'errors#/definitions/google', entry.response);
  } else if (method.response && entry.response) {
    check(entry, 'response', `google#/definitions/${method.response.$ref}`, entry.response);
  }
  // A body the fake refused may be wrong on purpose; one it took must fit.
  if (method.request && entry.request && entry.status < 400) {
    // In a patch, null clears a member.
    const body = entry.operation.endsWith('.patch') ? withoutNulls(entry.request) : entry.request;
    check(entry, 'request', `google#/definitions/${method.request.$ref}`, body);
  }
}

function checkGraph(entry) {
  const operation = graphOperations[entry.operation];
  if (!operation) return;
  if (entry.status >= 400 && entry.response) {
    check(entry, 'response', 'errors#/definitions/graph', entry.response);
  } else if (operation.answers && entry.response) {
    const items = operation.many ? entry.response.value : [entry.response];
    for (const item of items) {
      check(entry, 'response', `graph#/definitions/${operation.answers}`, withoutAnnotations(item));
    }
  }
  if (operation.sends && entry.request && entry.status < 400) {
    check(entry, 'request', `graph#/definitions/${operation.sends}`, withoutAnnotations(entry.request));
  }
}

for (const file of positionals) {
  const before = problems.length;
  for (const entry of JSON.parse(readFileSync(file, 'utf8'))) {
    entries += 1;
    // Armed faults break answers on purpose; the request is checked all the same.
    const shown = entry.fault ? { ...entry, response: null } : entry;
    if (entry.operation.startsWith('google.')) checkGoogle(shown);
    else checkGraph(shown);
  }
  if (problems.length > before) console.error(`in ${file}:`);
  for (const problem of problems.slice(before)) console.error(`  ${problem}`);
}
console.log(`${checked} bodies of ${entries} log entries in ${positionals.length} logs checked, ${problems.length} problems`);
process.exit(problems.length === 0 && checked > 0 ? 0 : 1);
