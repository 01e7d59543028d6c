// What some runs have more often than others, by more than chance would make.

import type { Breakdown, Share } from '../api';

export type Dimension = keyof Breakdown['by'];

const LEAST_Z = 3; // standard errors; below, chance makes such differences
const LEAST_RUNS = 3;
const LEAST_LIFT = 1.25;
const MOST = 6; // rows
const MOST_EACH = 2; // of one kind: the hours of one burst say the same

interface Standing {
  dimension: Dimension;
  share: Share;
  z: number;
}

/** How far two shares are apart in standard errors, as the API counts `failure_z`. */
export function zOf({ selected, baseline }: Pick<Share, 'selected' | 'baseline'>, of: Breakdown): number {
  const pooled = (selected + baseline) / (of.selected + of.baseline);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / of.selected + 1 / of.baseline));
  return error ? (selected / of.selected - baseline / of.baseline) / error : 0;
}

/** What stands out, the surest first. */
export function standing(answer: Breakdown): Standing[] {
  const all = Object.entries(answer.by) as [Dimension, Share[]][];
  return all
    .flatMap(([dimension, shares]) => shares.map((share) => ({ dimension, share, z: zOf(share, answer) })))
    .filter(({ z, share }) => z >= LEAST_Z && share.selected >= LEAST_RUNS && (share.lift ?? LEAST_LIFT) >= LEAST_LIFT)
    .sort((a, b) => b.z - a.z)
    .filter(
      (one, at, sorted) =>
        sorted.slice(0, at).filter(({ dimension }) => dimension === one.dimension).length < MOST_EACH,
    )
    .slice(0, MOST);
}
