// Words of what only Enterprise offers: the list of the guard suite, read from there, and what is read for them.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const source = (path: string) => readFileSync(join(root, path), 'utf8');

function sentence(name: string): string {
  const found = new RegExp(`const ${name}: &str =\\s*"([^"]*)"`).exec(source('core/domain/src/edition.rs'));
  if (!found) throw new Error(`no sentence ${name}`);
  return found[1]!;
}

function list(name: string): string[] {
  const guard = source('test-support/guards/src/words.rs');
  const found = new RegExp(`const ${name}: \\[&str; (\\d+)\\] = \\[([^\\]]*)\\]`).exec(guard);
  const items = [...(found?.[2] ?? '').matchAll(/"([^"]*)"|([A-Z_]+)/g)].map(([, text, constant]) => text ?? sentence(constant!));
  if (!found || items.length !== Number(found[1])) throw new Error(`no list ${name} in the guard suite`);
  return items.map((item) => item.toLowerCase());
}

export const words = list('WORDS');
const allowed = list('ALLOWED');

function hits(text: string): string[] {
  return words.flatMap((word) => [...text.matchAll(new RegExp(word, 'g'))]
    .map(({ index }) => `${word}: …${text.slice(Math.max(0, index - 60), index + 60)}…`));
}

/** The words in a text a person reads. */
export function inText(text: string): string[] {
  // The key of an address; and a list in a payload is read as the list it is on the page.
  let rest = text.toLowerCase().replace(/\s+/g, ' ').replaceAll('"email":', '').replaceAll('","', ' ');
  for (const phrase of allowed) rest = rest.replaceAll(phrase, '');
  return hits(rest);
}

/** The words in a page's source: its text, its scripts with the payloads in them, and its tags. Ids, names and types of
 *  fields are no words; the guard suite does not read them either. */
export function inSource(html: string): string[] {
  const plain = html.replace(/\\u003c/gi, '<').replace(/\\u003e/gi, '>').replaceAll('\\', '');
  const tags = [...plain.matchAll(/<[^>]*>/g)].join(' ');
  return [
    ...inText(plain.replace(/<[^>]*>/g, ' ')),
    ...inText(tags.replace(/ (?:id|for|name|type|aria-describedby)="[^"]*"/g, '')),
  ];
}

/** The words in a payload: keys and texts; a person's own address is theirs. Texts may be pages. */
export function inPayload(body: string): string[] {
  const texts: string[] = [];
  const read = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (Array.isArray(value)) value.forEach(read);
    else if (value !== null && typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) {
        if (key !== 'email') texts.push(key);
        read(inner);
      }
    }
  };
  read(JSON.parse(body));
  return inSource(texts.join(' '));
}

/** The words in a program. An address field's own name and type stand in it in lower case, beside no other word. */
export function inProgram(bytes: Buffer): string[] {
  let text = bytes.toString('latin1');
  for (const phrase of allowed) text = text.replace(new RegExp(phrase.replaceAll('.', '\\.'), 'gi'), '');
  return hits(text.replace(/(?<! )email(?![ ,.;:!?])/g, '').toLowerCase());
}
