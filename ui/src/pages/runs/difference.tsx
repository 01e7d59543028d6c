// What is different about the selected runs: values that they have more often than the runs they are compared with.

import { computed } from '@preact/signals';
import type { JSX } from 'preact';
import type { Breakdown, Errors, Share } from '../../api';
import { AGAINST, type Against, differenceOf, MEASURES, OTHERS, timesAsOften } from '../../messages';
import { taskName } from '../../net/names';
import { Trouble } from '../../parts/trouble';
import { filters } from '../../state/filters';
import { address, change, place } from '../../state/url';
import { asParameters, screenWindow } from '../../state/window';
import { gTest, STRONG, WEAK } from '../../text/chance';
import { duration } from '../../text/duration';
import { percent } from '../../text/number';
import type { Questions } from './questions';
import { brush, selected } from './selection';

type Measure = keyof typeof MEASURES;
const LONGEST = 31 * 864e5; // what the API compares

/** What the selection is compared with: other runs of the same time, where it leaves out some of them. */
export const against = computed<Against>(() => {
  const asked = place.value.query['against'];
  if (asked && asked in AGAINST) return asked as Against;
  const narrows = brush.value?.low !== undefined || Object.keys(filters.value).length > 0;
  if (narrows) return 'rest';
  return screenWindow.value.end - screenWindow.value.start <= LONGEST ? 'window' : 'previous';
});

const MOST = 10; // values of each kind that are asked for

/** The question; null without a selection, or with one that is too long. */
export function difference() {
  const part = brush.value;
  if (!part || part.to - part.from > LONGEST) return null;
  const { start_time, end_time } = asParameters(screenWindow.value);
  const compared = against.value === 'window' ? `${start_time},${end_time}` : against.value;
  return { ...selected.value, against: compared, top: MOST };
}

interface Finding {
  measure: Measure;
  share: Share;
  strong: boolean;
}

/** Kinds of values that the selection itself was made by, or that differ for every selection. */
function isTrivial(measure: Measure): boolean {
  if (measure === 'duration') return brush.value?.low !== undefined;
  if (measure === 'hour') return against.value !== 'rest';
  const filter = { task: 'task_id', owner: 'lease_owner', error_group: 'error_group', attempt: 'attempt_min' } as const;
  return filters.value[filter[measure]] !== undefined;
}

const MOST_SHOWN = 8;
const FEW = 3; // of one kind; what may be by chance is shown where there is no more than that

/** What the selected runs have more often than chance would have it, the most telling first. */
function findings({ by, selected: all, baseline: others }: Breakdown): Finding[] {
  const found = Object.entries(by).flatMap(([name, shares]) =>
    (shares ?? []).map((share) => ({ measure: name as Measure, share, g: weigh(share, all, others) })),
  );
  const ranked = found.filter(({ measure, g }) => g >= WEAK && !isTrivial(measure)).sort((a, b) => b.g - a.g);
  const before = (at: number): Finding['measure'][] => ranked.slice(0, at).map(({ measure }) => measure);
  const telling = ranked.filter(({ measure }, at) => before(at).filter((other) => other === measure).length < FEW);
  const strong = telling.filter(({ g }) => g >= STRONG).length;
  return telling
    .slice(0, Math.min(MOST_SHOWN, Math.max(strong, FEW)))
    .map(({ measure, share, g }) => ({ measure, share, strong: g >= STRONG }));
}

const weigh = (share: Share, all: number, others: number): number =>
  share.selected_share > share.baseline_share ? gTest(share.selected, all, share.baseline, others) : 0;

export function Difference({ questions }: { questions: Questions }): JSX.Element | null {
  const part = brush.value;
  if (!part) return null;
  const panel = questions.difference;
  const answer = panel.answer.value?.body;
  const found = answer ? findings(answer) : [];
  return (
    <section class={`difference ${panel.current.value ? '' : 'stale'}`} aria-label="What is different here">
      <div class="tools">
        <h2>What is different here</h2>
        <Compared />
        {answer && <span class="dim">{differenceOf(answer.selected, answer.baseline, against.value)}</span>}
      </div>
      <Trouble panel={panel} name="What is different here" />
      {part.to - part.from > LONGEST && <p class="dim">Select at most 31 days to see what is different about them.</p>}
      {answer && !found.length && <p class="dim">Nothing stands out: these runs are much like the others.</p>}
      {found.length > 0 && <Findings found={found} errors={questions.errorNames.answer.value?.body} />}
    </section>
  );
}

function Compared(): JSX.Element {
  return (
    <label class="row">
      <span class="dim">compared with</span>
      <select value={against.value} onChange={(event) => change({ against: event.currentTarget.value }, 'replace')}>
        {Object.entries(AGAINST).map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Findings({ found, errors }: { found: Finding[]; errors: Errors | undefined }): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Value</th>
          <th scope="col">Selected runs</th>
          <th scope="col">{OTHERS[against.value]}</th>
          <th scope="col">More often</th>
        </tr>
      </thead>
      <tbody>
        {found.map(({ measure, share, strong }) => (
          <tr key={`${measure} ${share.value}`}>
            <td class="measure dim">{MEASURES[measure]}</td>
            <td class="what">
              <Value measure={measure} value={share.value} errors={errors} />
            </td>
            <td data-name="here">
              <Bar share={share.selected_share} />
            </td>
            <td data-name={OTHERS[against.value].toLowerCase()}>
              <Bar share={share.baseline_share} />
            </td>
            <td>
              {timesAsOften(share.lift)}
              {!strong && <span class="dim"> perhaps by chance</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Bar({ share }: { share: number }): JSX.Element {
  return (
    <span class="took">
      <i aria-hidden="true" style={{ width: `${share * 100}%` }} />
      <span>{percent(share)}</span>
    </span>
  );
}

interface ValueProps {
  measure: Measure;
  value: Share['value'];
  errors: Errors | undefined;
}

/** A value, as a link to the runs of the selection that have it where a filter can say so. */
function Value({ measure, value, errors }: ValueProps): JSX.Element {
  const text = <bdi>{nameOf(measure, value, errors)}</bdi>;
  const filter = filterOf(measure, value);
  const kept = { brush: place.value.query['brush'], order: place.value.query['order'] };
  return filter ? <a href={address('/ui/runs', { ...kept, ...filter })}>{text}</a> : text;
}

function nameOf(measure: Measure, value: Share['value'], errors: Errors | undefined): string {
  if (value === null) return 'none';
  if (measure === 'task') return taskName(String(value));
  if (measure === 'duration') return value === 0 ? '0 s' : `${duration(+value)} to ${duration(2 * +value)}`;
  if (measure === 'hour')
    return `${String(value).padStart(2, '0')}:00 to ${String(+value + 1).padStart(2, '0')}:00 UTC`;
  if (measure !== 'error_group') return String(value);
  const group = errors?.groups.find(({ id }) => id === value);
  if (!group) return String(value);
  const said = [group.kind, group.message].filter((part) => part).join(': ');
  return group.frame ? `${said} (${group.frame})` : said;
}

/** The filter that leaves these runs; null where there is none. */
function filterOf(measure: Measure, value: Share['value']): Record<string, string> | null {
  if (value === null) return null;
  if (measure === 'task') return { task_id: String(value) };
  if (measure === 'owner') return { lease_owner: String(value) };
  if (measure === 'error_group') return { error_group: String(value) };
  if (measure === 'attempt') return +value > 1 ? { attempt_min: String(value) } : null;
  return null;
}
