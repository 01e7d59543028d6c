// Error texts: what went wrong in one line, and the frames of Python, Java, JavaScript and Go.

export interface Frame {
  file: string;
  line: number | null;
  name: string;
  /** The line of source below the frame, where the text has it. */
  source: string | null;
  /** Whether it is of a library or of the language itself, not of the task. */
  library: boolean;
}

/** One exception: what it says, and where it was raised. */
export interface Thrown {
  headline: string;
  /** More lines of its message. */
  notes: string[];
  /** Outermost call first. */
  frames: Frame[];
  /** What it is to the one that was raised after it. */
  relation: Relation;
}

export type Relation = 'caused by' | 'while handling' | 'within';

export interface Trace extends Thrown {
  /** The exceptions behind it, each of which led to the one before it here. */
  causes: Thrown[];
}

const LIBRARY =
  /site-packages|dist-packages|[/\\]lib[/\\](python|collections|asyncio)|node_modules|node:|<frozen|\/usr\/(lib|local\/go)\/|\/go\/pkg\/mod\/|^runtime\/|asm_\w+\.s$/i;
const OF_JAVA = /^(?:[\w.@-]+\/)?(java|javax|jdk|jakarta|sun|com\.sun|kotlin|kotlinx|scala|org\.springframework)\./;
const ANSI = new RegExp(`${String.fromCharCode(27)}(?:\\[[0-9;?]*[A-Za-z]|\\][^\\u0007]*\\u0007|[()][A-Z0-9])`, 'g');

/** The text without the colours of a terminal. */
export const plain = (text: string): string => text.replace(ANSI, '');

/** One line that says what went wrong: the last exception, else the first line. At most 16 KB of the text are read. */
export function headline(text: string): string {
  return parseTrace(text.length > 16_384 ? `${text.slice(0, 8192)}\n${text.slice(-8192)}` : text).headline;
}

/** Takes an error text apart. A text of no known kind has no frames. */
export function parseTrace(text: string): Trace {
  const lines = plain(text)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  for (const kind of [python, go, stack]) {
    const found = kind(lines);
    if (found.length) return { ...found[0]!, causes: found.slice(1) };
  }
  return { headline: firstLine(lines), notes: [], frames: [], relation: 'caused by', causes: [] };
}

const firstLine = (lines: string[]): string => lines.find((line) => line.trim())?.trim() ?? '';

const PYTHON_FRAME = /^ {2}File "(.+)", line (\d+)(?:, in (.+))?$/;

/** `Traceback (most recent call last)`, innermost frame last; of chained ones the last is what was raised in the end.
 *
 *  A traceback whose beginning was cut off is found by its frames.
 */
function python(raw: string[]): Thrown[] {
  const isGroup = raw.some((line) => line.includes('+ Exception Group Traceback'));
  const lines = isGroup ? raw.map((line) => line.replace(/^ *(?:[|+] ?)/, '')) : raw;
  const begins = (line: string): boolean => /^(?:Exception Group )?Traceback \(most recent call last\):/.test(line);
  const found: Thrown[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!begins(lines[at]!) && !PYTHON_FRAME.test(lines[at]!)) continue;
    const [thrown, next] = pythonOne(lines, begins(lines[at]!) ? at + 1 : at);
    if (thrown) found.push(thrown);
    at = Math.max(at, next - 1);
  }
  return found.reverse();
}

/** One traceback that begins at a line, and the line after it. */
function pythonOne(lines: string[], begin: number): [Thrown | null, number] {
  const frames: Frame[] = [];
  let at = begin;
  for (; at < lines.length && (/^\s/.test(lines[at]!) || !lines[at]); at++) {
    const [, file, line, name = ''] = PYTHON_FRAME.exec(lines[at]!) ?? [];
    if (!file) continue;
    const next = lines[at + 1];
    const source = next && /^ {4}/.test(next) && !PYTHON_FRAME.test(next) ? next.trim() : null;
    frames.push({ file, line: Number(line), name, source, library: LIBRARY.test(file) });
  }
  if (!frames.length) return [null, at];
  const notes: string[] = [];
  let end = at + 1;
  for (; end < lines.length && isNote(lines[end]!); end++) if (lines[end]!.trim()) notes.push(lines[end]!);
  return [{ headline: lines[at]?.trim() || 'Traceback', notes, frames, relation: relationOf(lines[end] ?? '') }, end];
}

/** What a traceback is to the next one, by the line between them; a group stands before what it holds. */
function relationOf(line: string): Relation {
  if (line.startsWith('During handling')) return 'while handling';
  return /^-\+?-/.test(line) ? 'within' : 'caused by';
}

/** Whether a line below an exception still belongs to it. */
const isNote = (line: string): boolean =>
  !/^(?:Exception Group )?Traceback \(most|^(The above exception was|During handling of)|^"""$|^[-+]{4,}|^-\+-/.test(
    line,
  ) && !PYTHON_FRAME.test(line);

/** `panic: …` and `goroutine 1 [running]:`, a function on one line and its file on the next, innermost first. */
function go(lines: string[]): Thrown[] {
  const begin = lines.findIndex((line) => /^goroutine \d+ \[/.test(line));
  if (begin < 0) return [];
  const frames: Frame[] = [];
  for (let at = begin + 1; at + 1 < lines.length; at += 2) {
    const [, file, line] = /^\t(.+):(\d+)(?: \+0x[0-9a-f]+)?$/.exec(lines[at + 1]!) ?? [];
    if (!file) break;
    const name = lines[at]!.replace(/^created by /, '').replace(/\([^()]*\)$/, '');
    const library = LIBRARY.test(file) || /^(runtime|panic|testing|net\/http)\b/.test(name);
    frames.push({ file, line: Number(line), name, source: null, library });
  }
  const said = lines.slice(0, begin).filter((line) => line.trim());
  const panic = said.findLast((line) => /^(panic|fatal error): /.test(line)) ?? said[0] ?? lines[begin]!;
  return [{ headline: panic.trim(), notes: [], frames: frames.reverse(), relation: 'caused by' }];
}

const isStackFrame = (line: string | undefined): boolean =>
  /^\s+at \S/.test(line ?? '') && /(:\d+|\)|:line \d+)(?: \{)?$/.test(line!);
const CAUSE = /^\s*(?:Caused by|\[cause\]): /;

/** `    at …` of Java, JavaScript and C#, innermost first; what was `Caused by:` another is what it began with. */
function stack(lines: string[]): Thrown[] {
  const found: Thrown[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (!isStackFrame(lines[at])) continue;
    const frames: Frame[] = [];
    const begin = at;
    for (; isStackFrame(lines[at]); at++) frames.push(stackFrame(lines[at]!.trim().slice(3).replace(/ \{$/, '')));
    const said = messageAbove(lines, begin);
    // What was suppressed beside an exception did not lead to it.
    if (said && !/^\s*Suppressed: /.test(said[0]!)) found.push(thrownOf(said, frames.reverse()));
  }
  return found.reverse();
}

/** The lines of a message above its first frame. */
function messageAbove(lines: string[], begin: number): string[] | null {
  let first = begin - 1;
  while (first > 0 && !isMessage(lines[first]!) && lines[first - 1]!.trim() && !isStackFrame(lines[first - 1])) first--;
  return first < 0 ? null : lines.slice(first, begin);
}

const isMessage = (line: string): boolean =>
  CAUSE.test(line) || /^(?:Exception in thread|Uncaught|Unhandled exception|[\w.$]*(?:Error|Exception)\b)/.test(line);

function thrownOf(said: string[], frames: Frame[]): Thrown {
  const [first = '', ...notes] = said;
  const headline = first.replace(CAUSE, '').replace(/^Exception in thread "[^"]*" /, '');
  return { headline: headline.trim(), notes: notes.filter((line) => line.trim()), frames, relation: 'caused by' };
}

function stackFrame(text: string): Frame {
  const sharp = /^(.*?) in (.+):line (\d+)$/.exec(text);
  if (sharp) return { file: sharp[2]!, line: Number(sharp[3]), name: sharp[1]!, source: null, library: false };
  const [, name = '', place = text.replace(/^async /, '')] = /^(?:async )?(.*?) ?\(([^()]*)\)$/.exec(text) ?? [];
  const [, file = place, line] = /^(.*?):(\d+)(?::\d+)?$/.exec(place) ?? [];
  const library = LIBRARY.test(file) || OF_JAVA.test(name) || /^System\./.test(name);
  return { file, line: line ? Number(line) : null, name, source: null, library };
}
