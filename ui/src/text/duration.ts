// Durations as text. All durations are seconds, as in the API.

/** A count of a greater unit and, where there are some, of a smaller one: "1 m 12 s", "2 h 05 m", "7 d". */
function pair(count: number, per: number, great: string, small: string): string {
  const [whole, rest] = [Math.floor(count / per), count % per];
  return rest ? `${whole} ${great} ${String(rest).padStart(2, '0')} ${small}` : `${whole} ${great}`;
}

/** A duration in at most two units: 8 µs, 296 ms, 1.9 s, 1 m 12 s, 2 h 05 m, 3 d 04 h. */
export function duration(seconds: number): string {
  if (seconds === 0) return '0 s';
  if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.00995) return `${(seconds * 1e3).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1e3)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3599.5) return pair(Math.round(seconds), 60, 'm', 's');
  if (seconds < 86_370) return pair(Math.round(seconds / 60), 60, 'h', 'm');
  return pair(Math.round(seconds / 3600), 24, 'd', 'h');
}

const UNITS: Record<string, number> = { us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Seconds of a typed duration such as 90, 1.5h or "1 m 30 s"; null for other text. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m|h|d|w)/g)];
  if (!parts.length || trimmed.replace(/(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m|h|d|w)/g, '').trim()) return null;
  return parts.reduce((sum, part) => sum + Number(part[1]) * UNITS[part[2]!]!, 0);
}
