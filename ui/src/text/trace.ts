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

export interface Trace {
  headline: string;
  /** Outermost call first; empty when the text is no trace. */
  frames: Frame[];
}

const LIBRARY = /site-packages|dist-packages|lib\/python|node_modules|node:|<frozen|\/usr\/(lib|local\/go)\//;
const JAVA_LIBRARY = /^(java|javax|jdk|sun|com\.sun|kotlin|scala|org\.springframework)\./;
const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');

/** The text without the colours of a terminal. */
export const plain = (text: string): string => text.replace(ANSI, '');

/** One line that says what went wrong: the last exception, else the first line. At most 16 KB of the text are read. */
export function headline(text: string): string {
  return parseTrace(text.length > 16_384 ? `${text.slice(0, 8192)}\n${text.slice(-8192)}` : text).headline;
}

/** Takes an error text apart. */
export function parseTrace(text: string): Trace {
  const lines = plain(text).split('\n');
  const kinds = [python, go, stack];
  for (const kind of kinds) {
    const found = kind(lines);
    if (found) return found;
  }
  return { headline: lines.find((line) => line.trim())?.trim() ?? '', frames: [] };
}

/** `Traceback (most recent call last)`, the innermost frame last; of several chained ones, the last counts. */
function python(lines: string[]): Trace | null {
  const begin = lines.findLastIndex((line) => line.startsWith('Traceback (most recent call last)'));
  if (begin < 0) return null;
  const frames: Frame[] = [];
  let at = begin + 1;
  for (; at < lines.length && (/^\s/.test(lines[at]!) || !lines[at]); at++) {
    const found = /^ {2}File "(.+)", line (\d+)(?:, in (.+))?$/.exec(lines[at]!);
    if (!found) continue;
    const [, file = '', line, name = ''] = found;
    const next = lines[at + 1];
    const source = next && /^ {4}/.test(next) ? next.trim() : null;
    frames.push({ file, line: Number(line), name, source, library: LIBRARY.test(file) });
  }
  return { headline: lines[at]?.trim() || 'Traceback', frames };
}

/** `panic: …` or `goroutine 1 [running]:`, a function on one line and its file on the next, innermost first. */
function go(lines: string[]): Trace | null {
  const begin = lines.findIndex((line) => /^goroutine \d+ \[/.test(line));
  if (begin < 0) return null;
  const frames: Frame[] = [];
  for (let at = begin + 1; at + 1 < lines.length; at += 2) {
    const found = /^\t(.+):(\d+)(?: \+0x[0-9a-f]+)?$/.exec(lines[at + 1]!);
    if (!found) break;
    const [, file = '', line] = found;
    const name = lines[at]!.replace(/\([^()]*\)$/, '');
    frames.push({ file, line: Number(line), name, source: null, library: LIBRARY.test(file) });
  }
  const said = lines.slice(0, begin).find((line) => line.trim()) ?? lines[begin]!;
  return { headline: said.trim(), frames: frames.reverse() };
}

/** `    at …` of Java and JavaScript, innermost first; of `Caused by:`, the last one counts. */
function stack(lines: string[]): Trace | null {
  const isFrame = (line: string | undefined): boolean => /^\s+at .+(:\d+|\))$/.test(line ?? '');
  const cause = lines.findLastIndex((line, at) => line.startsWith('Caused by: ') && isFrame(lines[at + 1]));
  const first = lines.findIndex((_, at) => at > Math.max(cause, 0) && isFrame(lines[at]));
  if (first < 1) return null;
  const frames: Frame[] = [];
  for (let at = first; isFrame(lines[at]); at++) frames.push(stackFrame(lines[at]!.trim().slice(3)));
  const said = cause < 0 ? lines.slice(0, first).find((line) => line.trim())! : lines[cause]!.slice(11);
  return { headline: said.trim(), frames: frames.reverse() };
}

function stackFrame(text: string): Frame {
  const [, name = '', place = text.replace(/^async /, '')] = /^(?:async )?(.*?) ?\((.*)\)$/.exec(text) ?? [];
  const [, file = place, line] = /^(.*?):(\d+)(?::\d+)?$/.exec(place) ?? [];
  const library = LIBRARY.test(file) || JAVA_LIBRARY.test(name);
  return { file, line: line ? Number(line) : null, name, source: null, library };
}
