// JSON as it is stored. `JSON.parse` would round long numbers, put keys such as "10" first, and drop a key that stands
// twice; so the text itself is kept, with a list of where its values begin and end.

export type Kind = 'object' | 'array' | 'string' | 'number' | 'word';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** All values of a JSON text in the order in which they stand there; value 0 is the whole. */
export class JsonIndex {
  /** Where each value begins, and the place after its end. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Where its key begins, with the quote; -1 in arrays. */
  readonly key: Int32Array;
  /** The value that holds it; -1 for the whole. */
  readonly parent: Int32Array;
  /** The value after all that it holds. */
  readonly next: Int32Array;
  /** How many values it holds, without those that these hold. */
  readonly size: Int32Array;
  /** Its place among the values of its parent. */
  readonly place: Int32Array;
  readonly depth: Uint16Array;
  readonly count: number;

  /** Reads a text that is known to be JSON. */
  constructor(readonly text: string) {
    const most = atMost(text);
    const numbers = (): Int32Array => new Int32Array(most);
    [this.start, this.end, this.key, this.parent] = [numbers(), numbers(), numbers(), numbers()];
    [this.next, this.size, this.place] = [numbers(), numbers(), numbers()];
    this.depth = new Uint16Array(most);
    this.count = this.#scan();
  }

  kindOf(value: number): Kind {
    const code = this.text.charCodeAt(this.start[value]!);
    if (code === OPEN_OBJECT) return 'object';
    if (code === OPEN_ARRAY) return 'array';
    if (code === QUOTE) return 'string';
    return code === 45 || (code >= 48 && code <= 57) ? 'number' : 'word';
  }

  /** A value as it stands in the text. */
  sourceOf(value: number): string {
    return this.text.slice(this.start[value], this.end[value]);
  }

  /** The key of a member of an object; null for others. */
  keyOf(value: number): string | null {
    const begin = this.key[value]!;
    return begin < 0 ? null : (JSON.parse(this.text.slice(begin, stringEnd(this.text, begin))) as string);
  }

  /** The values from the whole down to this one, which comes last. */
  pathOf(value: number): number[] {
    const path = [value];
    for (let at = this.parent[value]!; at >= 0; at = this.parent[at]!) path.unshift(at);
    return path;
  }

  /** The value whose key or content a place of the text belongs to; null between values. */
  valueAt(place: number): number | null {
    let [low, high] = [0, this.count];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      const begin = this.key[middle]! >= 0 ? this.key[middle]! : this.start[middle]!;
      if (begin <= place) low = middle;
      else high = middle;
    }
    const key = this.key[low]!;
    if (key >= 0 && place >= key && place < stringEnd(this.text, key)) return low;
    const holds = this.text.charCodeAt(this.start[low]!);
    const content = holds !== OPEN_OBJECT && holds !== OPEN_ARRAY;
    return content && place >= this.start[low]! && place < this.end[low]! ? low : null;
  }

  #scan(): number {
    const { text, size } = this;
    let [count, parent, key] = [0, -1, -1];
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (isSpace(code) || code === COMMA || code === COLON) continue;
      if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
        this.end[parent] = at + 1;
        this.next[parent] = count;
        parent = this.parent[parent]!;
      } else if (code === QUOTE && key < 0 && parent >= 0 && text.charCodeAt(this.start[parent]!) === OPEN_OBJECT) {
        key = at;
        at = stringEnd(text, at) - 1;
      } else {
        this.start[count] = at;
        this.key[count] = key;
        this.parent[count] = parent;
        this.depth[count] = parent < 0 ? 0 : this.depth[parent]! + 1;
        if (parent >= 0) this.place[count] = size[parent]!++;
        key = -1;
        if (code === OPEN_OBJECT || code === OPEN_ARRAY) parent = count;
        else {
          const end = code === QUOTE ? stringEnd(text, at) : wordEnd(text, at);
          this.end[count] = end;
          this.next[count] = count + 1;
          at = end - 1;
        }
        count++;
      }
    }
    return count;
  }
}

/** No fewer than the values of a text: each but the first stands after a comma or a bracket. */
function atMost(text: string): number {
  let count = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === OPEN_ARRAY || code === OPEN_OBJECT) count++;
  }
  return count;
}

/** The place after the closing quote of a string that begins at a place. */
function stringEnd(text: string, begin: number): number {
  // Not by indexOf: Chromium's compiler calls it before it knows whether there is a string at all.
  for (let at = begin + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

/** The place after a number, true, false or null. */
function wordEnd(text: string, begin: number): number {
  let at = begin;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT || isSpace(code)) break;
  }
  return at;
}

/** Takes a member out of the text of an object: its value as it stands there, null where there is none; and the object
 *  with null in its place.
 */
export function takeOut(text: string, key: string): { value: string | null; rest: string } {
  const wanted = JSON.stringify(key);
  let at = text.indexOf('{') + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === CLOSE_OBJECT) break;
    if (code !== QUOTE) {
      at++;
      continue;
    }
    const end = stringEnd(text, at);
    let begin = end;
    while (isSpace(text.charCodeAt(begin)) || text.charCodeAt(begin) === COLON) begin++;
    const after = valueEnd(text, begin);
    if (text.slice(at, end) === wanted) {
      return { value: text.slice(begin, after), rest: `${text.slice(0, begin)}null${text.slice(after)}` };
    }
    at = after;
  }
  return { value: null, rest: text };
}

/** The place after a value that begins at a place. */
function valueEnd(text: string, begin: number): number {
  const first = text.charCodeAt(begin);
  if (first === QUOTE) return stringEnd(text, begin);
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return wordEnd(text, begin);
  let depth = 0;
  for (let at = begin; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return at + 1;
  }
  return text.length;
}

/** A text on one line: what cannot be seen is shown as JSON writes it, as is half a surrogate pair. */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, (found) => JSON.stringify(found).slice(1, -1));

/** JSON with two spaces a level, each value as it stands in the text. */
export function pretty(text: string): string {
  const index = new JsonIndex(text);
  const parts: string[] = [];
  const closing: number[] = [];
  for (let value = 0; value <= index.count; value++) {
    while (closing.length && value >= index.next[closing.at(-1)!]!) {
      const closed = closing.pop()!;
      parts.push(`\n${'  '.repeat(index.depth[closed]!)}${index.kindOf(closed) === 'object' ? '}' : ']'}`);
    }
    if (value === index.count) break;
    if (value > 0) parts.push(index.place[value] ? ',\n' : '\n', '  '.repeat(index.depth[value]!));
    const key = index.keyOf(value);
    if (key !== null) parts.push(JSON.stringify(key), ': ');
    const kind = index.kindOf(value);
    if (kind !== 'object' && kind !== 'array') parts.push(index.sourceOf(value));
    else if (index.size[value]) {
      parts.push(kind === 'object' ? '{' : '[');
      closing.push(value);
    } else parts.push(kind === 'object' ? '{}' : '[]');
  }
  return parts.join('');
}

const SIMPLE = /^[A-Za-z_]\w*$/;

/** The way to a value: $.rows[3]. Keys that such a path cannot hold make it a pointer, as in /a b/3. */
export function jsonPath(index: JsonIndex, value: number): string {
  const steps = index
    .pathOf(value)
    .slice(1)
    .map((at) => index.keyOf(at) ?? index.place[at]!);
  const simple = steps.every((step) => typeof step === 'number' || SIMPLE.test(step));
  return simple
    ? `$${steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')}`
    : steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The way to a value as SQL finds it in the column `output`: output->>'$.rows[3]'. */
export const sqlPath = (index: JsonIndex, value: number): string =>
  value ? `output->>'${jsonPath(index, value).replaceAll("'", "''")}'` : 'output';

/** The values whose key or content has a text in it, in any case; at most `most` of them. */
export function find(index: JsonIndex, wanted: string, most: number): number[] {
  const literal = JSON.stringify(wanted).slice(1, -1);
  const [lower, small] = [index.text.toLowerCase(), literal.toLowerCase()];
  // A few letters are longer in lower case; places in the text would not fit then.
  const [text, part] = lower.length === index.text.length ? [lower, small] : [index.text, literal];
  const found: number[] = [];
  if (!part) return found;
  for (let at = text.indexOf(part); at >= 0 && found.length < most; at = text.indexOf(part, at + part.length)) {
    const value = index.valueAt(at);
    if (value !== null && found.at(-1) !== value) found.push(value);
  }
  return found;
}

/** The values to show: those whose parents are all open. */
export function openRows(index: JsonIndex, isOpen: (value: number) => boolean): number[] {
  const rows: number[] = [];
  for (let value = 0; value < index.count; ) {
    rows.push(value);
    value = index.size[value] && !isOpen(value) ? index.next[value]! : value + 1;
  }
  return rows;
}

const DEEP = 2;
const MANY = 200;

/** Whether a value is open at first: the whole, and what is neither deep nor long. */
export const opensAtFirst = (index: JsonIndex, value: number): boolean =>
  value === 0 || (index.depth[value]! < DEEP && index.size[value]! <= MANY);
