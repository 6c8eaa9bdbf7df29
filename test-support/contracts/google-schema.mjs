// Google's discovery document turned into JSON Schema that refuses unknown members.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const member = 'googleapiclient/discovery_cache/documents/calendar.v3.json';

// Path given, environment variable, or the wheel from PyPI (fetched once into .cache/).
function documentPath(given) {
  const named = given ?? process.env.DAYBIND_GOOGLE_DISCOVERY;
  if (named) return named;
  const cache = fileURLToPath(new URL('.cache', import.meta.url));
  const path = join(cache, member);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  execFileSync('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:',
    '--dest', cache, 'google-api-python-client'], { stdio: 'inherit' });
  const wheel = readdirSync(cache).find((name) => name.endsWith('.whl'));
  execFileSync('python3', ['-c',
    'import sys,zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])',
    join(cache, wheel), member, cache]);
  return path;
}

function convert(node) {
  if (node.$ref) return { $ref: `#/definitions/${node.$ref}` };
  if (node.type === 'any') return {};
  const out = { type: node.type };
  if (node.enum) out.enum = node.enum;
  if (node.type === 'array') out.items = convert(node.items);
  if (node.type === 'string' && ['date', 'date-time'].includes(node.format)) out.format = node.format;
  if (node.type === 'object') {
    out.properties = Object.fromEntries(
      Object.entries(node.properties ?? {}).map(([name, inner]) => [name, convert(inner)]),
    );
    out.additionalProperties = node.additionalProperties ? convert(node.additionalProperties) : false;
  }
  return out;
}

export function googleContract(given) {
  const document = JSON.parse(readFileSync(documentPath(given), 'utf8'));
  const definitions = Object.fromEntries(
    Object.entries(document.schemas).map(([name, schema]) => [name, convert(schema)]),
  );
  const method = (operation) => {
    const [resource, name] = operation.replace(/^google\./, '').split('.');
    return document.resources[resource]?.methods?.[name];
  };
  const parameters = (found) => new Set([
    ...Object.keys(document.parameters), ...Object.keys(found.parameters ?? {}),
  ]);
  return { definitions, method, parameters };
}
