// Made by tests/helpers/typescript.py from the Structs of src/runlake/model: do not edit.

/** A time in ISO 8601, of UTC, with at most six digits of a second. */
export type Timestamp = string;
export type Uuid = string;
/** A day of UTC, as in 2025-01-31. */
export type Day = string;

export interface ChangeCounts {
  /** Those that have succeeded. */
  success: number;
  /** Those that have failed. */
  failed: number;
  /** Those that have not finished. */
  open: number;
}

export interface RunChanges {
  /** The snapshot of the lake up to which everything is told; also the id of the event. */
  snapshot: number;
  /** How many they are, exactly. */
  counts: ChangeCounts;
  /** The newest of them, at most 200; `error` and `output` are null in all of them. */
  items: Run[];
  /** How many there are beside `items`. */
  more: number;
}

export interface StreamReset {
  /** The snapshot of the lake from which on everything is told. */
  snapshot: number;
}

export interface Cells {
  /** Columns. */
  x: number[];
  /** Rows. */
  y: number[];
  /** Runs in the cell. */
  n: number[];
}

export interface Durations {
  /** The beginning of the window. */
  start: Timestamp;
  /** The end of the window, which is not part of it. */
  end: Timestamp;
  /** The width of a column. */
  column_seconds: number;
  /** How many columns there are. */
  columns: number;
  /** Where the rows begin and, at last, where the last one ends. */
  row_edges_seconds: number[];
  /** Cells of runs that succeeded. */
  success: Cells;
  /** Cells of runs that failed. */
  failed: Cells;
  /** For each column, the median of the durations. */
  p50_seconds: (number | null)[];
  /** For each column, the 95th percentile of the durations. */
  p95_seconds: (number | null)[];
  /** Finished runs with a duration. */
  timed: number;
  /** Open runs of the window. */
  open: number;
  /** Runs that match but have not started: they lie in no window. */
  queued: number;
  /** The runs one by one, when they are few; else null. */
  points: Points | null;
}

export interface DurationsQuery {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
  /** At most so many columns of time. */
  columns?: number;
  /** Up to so many runs, they are answered themselves. */
  points?: number;
}

export interface Histogram {
  /** The beginning of the window. */
  start: Timestamp;
  /** The end of the window, which is not part of it. */
  end: Timestamp;
  /** The width of a bucket. */
  width: "12h" | "15m" | "15s" | "1d" | "1h" | "1m" | "1month" | "1s" | "1w" | "30m" | "30s" | "3h" | "5m" | "5s" | "6h";
  /** The time zone in which days, weeks and months begin. */
  tz: string;
  /** Where the buckets begin and, at last, where the last one ends. */
  edges: Timestamp[];
  /** The runs of each bucket by outcome, task or owner. */
  series: Series[];
  /** For each bucket, the finished runs with a duration. */
  timed: number[];
  /** For each bucket, the sum of these durations. */
  seconds: number[];
  /** All runs of the window that match. */
  total: number;
  /** Runs that match but have not started: they lie in no window. */
  queued: number;
}

export interface HistogramQuery {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
  /** At most so many buckets, as narrow as that allows. */
  buckets?: number;
  /** The width itself; at most 400 buckets. */
  width?: "12h" | "15m" | "15s" | "1d" | "1h" | "1m" | "1month" | "1s" | "1w" | "30m" | "30s" | "3h" | "5m" | "5s" | "6h";
  /** The time zone in which days, weeks and months begin (IANA). */
  tz?: string;
  /** What the series are of: the outcome, or the ten tasks, owners or groups of errors with the most runs. */
  by?: "error_group" | "outcome" | "owner" | "task";
}

export interface Points {
  /** Ids of the runs. */
  id: Uuid[];
  /** When they started, in microseconds since 1970. */
  started_at: number[];
  /** How long they took. */
  seconds: number[];
  /** Their results. */
  success: boolean[];
  /** The place of their task in `tasks`. */
  task: number[];
  /** The tasks of these runs. */
  tasks: Uuid[];
}

export interface Series {
  /** An outcome, a task or an owner; null for all others. */
  key: string | null;
  /** Runs in each bucket. */
  runs: number[];
}

export interface Context {
  /** Tries of the same work, the first one first. */
  attempts: RunRef[];
  /** Always true: no record says which runs are tries of the same work. */
  inferred: boolean;
  /** Among how many runs an attempt was chosen, at most; 1 when there was no choice. */
  candidates: number;
  /** The run of the task before. */
  previous: Uuid | null;
  /** The run of the task after. */
  next: Uuid | null;
  /** The last success of the task before. */
  last_success_before: RunRef | null;
  /** The next success of the task after. */
  next_success_after: RunRef | null;
  /** How long it took, beside other runs. */
  duration_rank: DurationRank | null;
  /** Its group of errors. */
  error_group: string | null;
  /** Runs of its group of errors in these days. */
  same_error_runs: number | null;
}

export interface ContextQuery {
  /** Days before the run, and up to it, whose runs its duration and its error are compared with. */
  days?: number;
}

export interface DurationRank {
  /** Share of these runs that were shorter. */
  share_faster: number;
  /** Other timed runs of the task. */
  of: number;
  /** Days that they are of. */
  days: number;
}

export interface RunRef {
  /** The run. */
  id: Uuid;
  /** Its attempt. */
  attempt: number;
  /** When it started. */
  started_at: Timestamp | null;
  /** When it finished. */
  finished_at: Timestamp | null;
  /** Its result; null while it is open. */
  success: boolean | null;
}

export interface DayRuns {
  /** The UTC day. */
  date: Day;
  /** Its runs. */
  runs: number;
}

export interface ErrorGroup {
  /** Its id. */
  id: string;
  /** The kind of the last exception; null where the text names none. */
  kind: string | null;
  /** What the error says, without what differs from run to run. */
  message: string;
  /** File and function of the innermost own frame of a Python traceback. */
  frame: string | null;
  /** Failed runs of the window. */
  runs: number;
  /** Failed runs of the window of equal length before. */
  previous_runs: number;
  /** Different tasks among the runs. */
  tasks: number;
  /** Different lease owners among the runs. */
  owners: number;
  /** Run time of the oldest run of the group that is kept. */
  first_seen: Timestamp;
  /** Run time of the newest run of the window. */
  last_seen: Timestamp | null;
  /** Whether no run of the group is of the 28 days before the window. */
  is_new: boolean;
  /** The newest run of the window. */
  sample: Uuid | null;
  /** Runs in 30 equal parts of the window. */
  spark: number[];
}

export interface ErrorGroupDetail {
  /** Its id. */
  id: string;
  /** The kind of the last exception; null where the text names none. */
  kind: string | null;
  /** What the error says, without what differs from run to run. */
  message: string;
  /** File and function of the innermost own frame of a Python traceback. */
  frame: string | null;
  /** Failed runs of the window. */
  runs: number;
  /** Failed runs of the window of equal length before. */
  previous_runs: number;
  /** Different tasks among the runs. */
  tasks: number;
  /** Different lease owners among the runs. */
  owners: number;
  /** Run time of the oldest run of the group that is kept. */
  first_seen: Timestamp;
  /** Run time of the newest run of the window. */
  last_seen: Timestamp | null;
  /** Whether no run of the group is of the 28 days before the window. */
  is_new: boolean;
  /** The newest run of the window. */
  sample: Uuid | null;
  /** Runs in 30 equal parts of the window. */
  spark: number[];
  /** At most five whole runs, of different tasks if there are some. */
  samples: Run[];
  /** The ten tasks with the most runs. */
  by_task: TaskRuns[];
  /** The ten lease owners with the most runs. */
  by_owner: OwnerRuns[];
  /** Every UTC day that the window touches. */
  daily: DayRuns[];
}

export interface Errors {
  /** Groups that match. */
  total_groups: number;
  /** Failed runs of the window that match the filters. */
  total_failed: number;
  /** Failed runs that have no error to group by. */
  without_text: number;
  /** How errors are grouped. */
  algorithm: "v1";
  /** Groups in the order that was asked for. */
  groups: ErrorGroup[];
}

export interface ErrorsQuery {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
  /** The groups with the most runs, with the latest run, with the latest first run, the new ones, or those of the most tasks first. */
  sort?: "count" | "first" | "last" | "new" | "tasks";
  /** Groups at most. */
  limit?: number;
  /** Only groups whose kind, message or frame contains it, in any case. */
  q?: string;
}

export interface OwnerRuns {
  /** The lease owner; null for runs without one. */
  owner: string | null;
  /** Its runs. */
  runs: number;
}

export interface TaskRuns {
  /** The task. */
  task_id: Uuid;
  /** Its name, if it has one. */
  name: string | null;
  /** Its runs. */
  runs: number;
}

export interface Breakdown {
  /** Runs that match the filters. */
  selected: number;
  /** Runs that they are compared with. */
  baseline: number;
  /** The values of each kind that was asked for. */
  by: Partial<Record<"attempt" | "duration" | "error_group" | "hour" | "owner" | "task", Share[]>>;
}

export interface BreakdownQuery {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
  /** What to look at; all of it by default. */
  by?: ("attempt" | "duration" | "error_group" | "hour" | "owner" | "task")[];
  /** What the selection is compared with: all other runs of the window (`rest`), the same selection in the window before (`previous`), or in another one (`<start>,<end>`). */
  against?: string;
  /** Values of each at most. */
  top?: number;
}

export interface Compared {
  /** The start of the window. */
  start: Timestamp;
  /** The end of the window, which is not part of it. */
  end: Timestamp;
  /** The start of the window before. */
  previous_start: Timestamp | null;
  /** Whether that window is cut neither by retention nor the first run. */
  previous_complete: boolean | null;
}

export interface ComparedQuery {
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Whether to compare with the window of equal length before; `none` leaves it out. */
  compare?: "none" | "previous";
  /** About how many parts a spark line has; 0 leaves it out. */
  spark?: number;
}

export interface OwnerColumns {
  /** Lease owners. */
  owner: string[];
  /** Runs of the window, open ones included. */
  runs: number[];
  /** Failed runs. */
  failed: number[];
  /** Runs that have not finished. */
  open: number[];
  /** Open runs whose lease is over. */
  lost: number[];
  /** The latest run time. */
  last_seen: Timestamp[];
  /** Mean execution time. */
  avg_seconds: (number | null)[];
  /** How far its share of failures is from all others', in standard errors. */
  failure_z: (number | null)[];
  /** Runs of the window before. */
  previous_runs: (number | null)[];
  /** Failed runs of the window before. */
  previous_failed: (number | null)[];
  /** Mean execution time in the window before. */
  previous_avg_seconds: (number | null)[];
}

export interface Owners {
  /** The start of the window. */
  start: Timestamp;
  /** The end of the window, which is not part of it. */
  end: Timestamp;
  /** The start of the window before. */
  previous_start: Timestamp | null;
  /** Whether that window is cut neither by retention nor the first run. */
  previous_complete: boolean | null;
  /** Lease owners with runs in the window. */
  total_owners: number;
  /** Whether there are more than 5,000. */
  truncated: boolean;
  /** The figures. */
  columns: OwnerColumns;
  /** Runs over time; null where no parts were asked for. */
  spark: Spark | null;
}

export interface OwnersQuery {
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Whether to compare with the window of equal length before; `none` leaves it out. */
  compare?: "none" | "previous";
  /** About how many parts a spark line has; 0 leaves it out. */
  spark?: number;
}

export interface Share {
  /** The value. */
  value: string | number | null;
  /** Selected runs that have it. */
  selected: number;
  /** Other runs that have it. */
  baseline: number;
  /** Share of the selected runs. */
  selected_share: number;
  /** Share of the other runs. */
  baseline_share: number;
  /** The first share by the second; null where that is 0. */
  lift: number | null;
}

export interface Spark {
  /** Where the first part begins; not after the start of the window. */
  start: Timestamp;
  /** The width of a part. */
  width_seconds: number;
  /** For each row the runs of each part. */
  runs: number[][];
  /** For each row the failed runs of each part. */
  failed: number[][];
}

export interface ExportQuery {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
  /** A Parquet file, an Arrow stream, CSV with a header, or a JSON object a line. */
  format?: "arrow" | "csv" | "ndjson" | "parquet";
  /** Runs have only these fields. */
  fields?: ("attempt" | "created_at" | "error" | "finished_at" | "id" | "lease_owner" | "leased_until" | "output" | "started_at" | "success" | "task_id")[];
}

export interface Filter {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
}

export interface RunPage {
  /** The runs of this page. */
  items: Run[];
  /** All runs that match, exactly. */
  total: number;
  /** Items per page, as asked for. */
  limit: number;
  /** Items skipped, as asked for. */
  offset: number;
  /** Whether runs follow after this page. */
  has_more: boolean;
}

export interface RunsQuery {
  /** Only runs of these tasks. */
  task_id?: Uuid[];
  /** Only finished runs with this result. */
  success?: boolean;
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, and else running. */
  status?: ("failed" | "lost" | "queued" | "running" | "success")[];
  /** Only runs of this owner. */
  lease_owner?: string;
  /** Only runs that are at least this attempt. */
  attempt_min?: number;
  /** Only runs that took at least so many seconds. */
  duration_min?: number;
  /** Only runs that took at most so many seconds. */
  duration_max?: number;
  /** Only runs whose error contains it, in any case. */
  error?: string;
  /** Only failed runs of this group of errors. */
  error_group?: string;
  /** Whether items carry their error message. */
  include_errors?: boolean;
  /** Items per page. */
  limit?: number;
  /** Items to skip. */
  offset?: number;
  /** The most recent first, or the longest first; runs without a duration are in no list of durations. */
  order?: "duration" | "started";
  /** Items have only these fields. */
  fields?: ("attempt" | "created_at" | "error" | "finished_at" | "id" | "lease_owner" | "leased_until" | "output" | "started_at" | "success" | "task_id")[];
  /** Where a page begins, as a `Link` of another page has it; instead of `offset`. */
  cursor?: string;
}

export interface NamesStored {
  /** Entries of the request. */
  received: number;
  /** Tasks that have another name, other tags or another link now. */
  changed: number;
}

export interface TaskName {
  /** Its name; several tasks may have one. */
  name: string;
  /** Words to find it by. */
  tags: string[];
  /** Where to read about it. */
  url: string | null;
}

export interface TaskNames {
  /** By task. */
  names: Record<Uuid, TaskName>;
}

export interface TaskNamesChange {
  /** By task. */
  names: Record<Uuid, TaskName | null>;
}

export interface View {
  /** Its name. */
  name: string;
  /** What stands behind the ? of its address. */
  query: string;
}

export interface ViewQuery {
  /** What stands behind the ? of its address. */
  query: string;
}

export interface Views {
  /** Each with its name and query. */
  views: View[];
}

export interface Run {
  /** Identity of one execution attempt. */
  id: Uuid;
  /** The task that ran. */
  task_id: Uuid;
  lease_owner: string | null;
  /** When the lease ends: an open run past it is lost. */
  leased_until: Timestamp | null;
  /** When the run started; null while it is queued. */
  started_at: Timestamp | null;
  /** When the run finished; null while it is open. */
  finished_at: Timestamp | null;
  /** Result; null while the run is open. */
  success: boolean | null;
  /** Error message; null in lists unless include_errors=true. */
  error: string | null;
  /** Which try of the same work this is. */
  attempt: number;
  /** What the run returned: any JSON value. */
  output: unknown;
  /** When the run was created. */
  created_at: Timestamp;
}

export interface RunBatch {
  /** Applied in this order. */
  runs: RunRecord[];
}

export interface RunRecord {
  /** Identity of this attempt; minted (UUIDv7) when absent. */
  id: Uuid | null;
  /** The task that ran. */
  task_id: Uuid;
  lease_owner: string | null;
  /** When the lease ends: an open run past it is lost. */
  leased_until: Timestamp | null;
  /** When the run started; null while it is queued. */
  started_at: Timestamp | null;
  /** Set exactly when `success` is set. */
  finished_at: Timestamp | null;
  /** Result; set exactly when `finished_at` is set. */
  success: boolean | null;
  /** Error message. */
  error: string | null;
  /** Which try of the same work this is. */
  attempt: number;
  /** What the run returned: any JSON value. */
  output: unknown;
  /** Default: started_at, else finished_at, else the time of receipt. */
  created_at: Timestamp | null;
}

export interface Stored {
  /** Records in the request. */
  received: number;
  /** Records that were new or changed an open run. */
  stored: number;
  /** Records equal to what was stored already. */
  duplicates: number;
  /** Open records for runs that had finished already. */
  stale: number;
  /** Ids in input order, minted ones included. */
  ids: Uuid[];
}

export interface About {
  /** The version of runlake. */
  version: string;
  /** Whether requests need a key. */
  auth: "key" | "none";
  /** What this request may do. */
  scopes?: ("read" | "write")[];
  /** Whether it can answer about the data. */
  ready?: boolean;
  /** The newest snapshot. */
  snapshot?: number | null;
  /** Runs stored, open ones included. */
  runs?: number | null;
  /** The run time of the oldest run. */
  oldest?: Timestamp | null;
  /** The run time of the newest run. */
  newest?: Timestamp | null;
  /** What requests are bounded by. */
  limits?: Limits;
}

export interface Health {
  /** Always this value. */
  status: "ok";
}

export interface Limits {
  /** Bytes of a body, packed or unpacked. */
  body_bytes: number;
  /** Seconds for a body to arrive. */
  body_seconds: number;
  /** Seconds of a question. */
  query_seconds: number;
  /** Runs of one request. */
  batch_runs: number;
  /** Runs of a page. */
  page_runs: number;
  /** Days of a window that is read run by run. */
  scan_days: number;
  /** Days of any window. */
  window_days: number;
  /** Names of one request. */
  names: number;
  /** Shared views. */
  views: number;
}

export interface Problem {
  /** What went wrong, for programs: `urn:runlake:` and a stable code, or `about:blank`. */
  type: string;
  /** The status in words. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** What went wrong in this request, and what to do about it. */
  detail: string;
  /** The path of the request. */
  instance: string;
  /** The fields that are wrong; only for bad input and conflicts. */
  errors?: FieldError[];
}

export interface Ready {
  /** Always this value. */
  status: "ready";
  /** The snapshot of the lake that answers are of. */
  snapshot?: number;
  /** Runs stored, open ones included. */
  runs?: number;
}

export interface Span {
  oldest: Timestamp | null;
  newest: Timestamp | null;
}

export interface Macro {
  /** Its name. */
  name: string;
  /** The names of its parameters. */
  parameters: string[];
  /** What it makes of them. */
  doc: string;
}

export interface Relation {
  /** Its name. */
  name: string;
  /** What it holds. */
  doc: string;
  /** Its columns, in their order. */
  columns: RelationColumn[];
}

export interface RelationColumn {
  /** Its name. */
  name: string;
  /** Its type in DuckDB. */
  type: string;
  /** What it holds. */
  doc: string;
}

export interface SqlAnswer {
  /** In their order; several may have one name. */
  columns: SqlColumn[];
  /** Values as `runlake sql --format json` writes them. */
  rows: unknown[][];
  /** Rows of this answer. */
  row_count: number;
  /** Whether the result has more rows: past `limit`, or past 64 MiB. */
  truncated: boolean;
  /** Milliseconds from the query to the last of these rows. */
  elapsed_ms: number;
  /** The snapshot of the lake that was asked. */
  snapshot: number;
}

export interface SqlColumn {
  /** As the query names it. */
  name: string;
  /** Its type in DuckDB. */
  type: string;
}

export interface SqlExample {
  /** What it asks. */
  title: string;
  /** Its text. */
  sql: string;
}

export interface SqlQuery {
  /** One SELECT, in the SQL of DuckDB. */
  query: string;
  /** Rows of a JSON answer, at most. Other answers are whole. */
  limit?: number;
  /** When the query is ended, its answer included. */
  timeout_seconds?: number;
}

export interface SqlSchema {
  /** All relations. */
  relations: Relation[];
  /** Macros, besides the functions of DuckDB. */
  macros: Macro[];
  /** Queries. */
  examples: SqlExample[];
}

export interface DailyFigures {
  /** The day, in UTC. */
  date: Day;
  /** Runs with a run time in the period, open ones included. */
  total_runs: number;
  /** Finished runs that succeeded. */
  successful_runs: number;
  /** Finished runs that failed. */
  failed_runs: number;
  /** Runs that have not finished. */
  open_runs: number;
  /** Succeeded share of the finished runs, 0 to 1; 0.0 when none finished. */
  success_rate: number;
  /** Mean execution time; 0.0 when no run has one. */
  avg_execution_time_seconds: number;
  /** 95th percentile of execution times, within 1 %; null when no run has one. */
  p95_execution_time_seconds: number | null;
  /** Succeeded share over this entry and up to six before it, by finished runs. */
  success_rate_7d: number;
  /** Mean execution time over the same entries, by runs. */
  avg_execution_time_seconds_7d: number;
}

export interface PreviousPeriod {
  /** Runs with a run time in the period, open ones included. */
  total_runs: number;
  /** Different tasks among the runs. */
  total_tasks_executed: number;
  /** Finished runs that succeeded. */
  successful_runs: number;
  /** Finished runs that failed. */
  failed_runs: number;
  /** Runs that have not finished. */
  open_runs: number;
  /** Succeeded share of the finished runs, 0 to 1; 0.0 when none finished. */
  success_rate: number;
  /** Failed share of the finished runs, 0 to 1; 0.0 when none finished. */
  failure_rate: number;
  /** Mean execution time; 0.0 when no run has one. */
  avg_execution_time_seconds: number;
}

export interface Streak {
  /** How they ended. */
  success: boolean;
  /** How many they are. */
  length: number;
}

export interface Summary {
  /** Days of the window. */
  period_days: number;
  /** First moment of the window. */
  window_start: Timestamp;
  /** Last moment of the window. */
  window_end: Timestamp;
  /** Runs with a run time in the period, open ones included. */
  total_runs: number;
  /** Different tasks among the runs. */
  total_tasks_executed: number;
  /** Finished runs that succeeded. */
  successful_runs: number;
  /** Finished runs that failed. */
  failed_runs: number;
  /** Runs that have not finished. */
  open_runs: number;
  /** Succeeded share of the finished runs, 0 to 1; 0.0 when none finished. */
  success_rate: number;
  /** Failed share of the finished runs, 0 to 1; 0.0 when none finished. */
  failure_rate: number;
  /** Mean execution time; 0.0 when no run has one. */
  avg_execution_time_seconds: number;
  /** Median execution time, within 1 %; null when no run has one. */
  p50_execution_time_seconds: number | null;
  /** 90th percentile of execution times, within 1 %; null when no run has one. */
  p90_execution_time_seconds: number | null;
  /** 95th percentile of execution times, within 1 %; null when no run has one. */
  p95_execution_time_seconds: number | null;
  /** 99th percentile of execution times, within 1 %; null when no run has one. */
  p99_execution_time_seconds: number | null;
  /** `total_runs` / `period_days`. */
  runs_per_day: number;
  /** One entry for each UTC day the window touches, oldest first. */
  daily: DailyFigures[];
  /** The period of equal length just before the window. */
  previous: PreviousPeriod;
  /** Up to ten, by `failed_runs` descending, then `task_id`. */
  top_failing_tasks: TaskFigures[];
  /** Up to ten, by mean execution time descending, then `task_id`. */
  slowest_tasks: TaskFigures[];
}

export interface SummaryQuery {
  /** Days the window reaches back from `until`. */
  days?: number;
  /** End of the window; default now. */
  until?: Timestamp;
}

export interface TaskFigures {
  /** The task that ran. */
  task_id: Uuid;
  /** Runs with a run time in the period, open ones included. */
  total_runs: number;
  /** Finished runs that failed. */
  failed_runs: number;
  /** Succeeded share of the finished runs, 0 to 1; 0.0 when none finished. */
  success_rate: number;
  /** Mean execution time; 0.0 when no run has one. */
  avg_execution_time_seconds: number;
  /** 95th percentile of execution times, within 1 %; null when no run has one. */
  p95_execution_time_seconds: number | null;
}

export interface TaskStats {
  /** The task that ran. */
  task_id: Uuid;
  /** Days of the window. */
  period_days: number;
  /** First moment of the window. */
  window_start: Timestamp;
  /** Last moment of the window. */
  window_end: Timestamp;
  /** Runs with a run time in the period, open ones included. */
  total_runs: number;
  /** Finished runs that succeeded. */
  successful_runs: number;
  /** Finished runs that failed. */
  failed_runs: number;
  /** Runs that have not finished. */
  open_runs: number;
  /** Runs with an `attempt` above 1. */
  retried_runs: number;
  /** Succeeded share of the finished runs, 0 to 1; 0.0 when none finished. */
  success_rate: number;
  /** Failed share of the finished runs, 0 to 1; 0.0 when none finished. */
  failure_rate: number;
  /** Mean execution time; 0.0 when no run has one. */
  avg_execution_time_seconds: number;
  /** Shortest execution time; null when no run has one. */
  min_execution_time_seconds: number | null;
  /** Median execution time, within 1 %; null when no run has one. */
  p50_execution_time_seconds: number | null;
  /** 90th percentile of execution times, within 1 %; null when no run has one. */
  p90_execution_time_seconds: number | null;
  /** 95th percentile of execution times, within 1 %; null when no run has one. */
  p95_execution_time_seconds: number | null;
  /** 99th percentile of execution times, within 1 %; null when no run has one. */
  p99_execution_time_seconds: number | null;
  /** Longest execution time; null when no run has one. */
  max_execution_time_seconds: number | null;
  /** Latest run time in the window; null when there is none. */
  last_run: Timestamp | null;
  /** Latest run time of a run that succeeded. */
  last_success: Timestamp | null;
  /** Latest run time of a run that failed. */
  last_failure: Timestamp | null;
  /** The newest finished runs that ended alike; null when none finished. */
  current_streak: Streak | null;
  /** One entry for each UTC day the window touches, oldest first. */
  daily: DailyFigures[];
}

export interface TaskStatsQuery {
  /** Days the window reaches back from `until`. */
  days?: number;
  /** End of the window; default now. */
  until?: Timestamp;
}

export interface TaskColumns {
  /** Tasks. */
  task_id: Uuid[];
  /** Their names, if they have some. */
  name: (string | null)[];
  /** Runs of the window, open ones included. */
  runs?: number[];
  /** Failed runs. */
  failed?: number[];
  /** Runs that have not finished. */
  open?: number[];
  /** Runs that have not started: they lie in no window. */
  queued?: number[];
  /** Finished runs that were not the first attempt. */
  retried?: number[];
  /** Succeeded share of the finished runs. */
  success_rate?: (number | null)[];
  /** Mean execution time. */
  avg_seconds?: (number | null)[];
  /** Median of execution times, within 1 %. */
  p50_seconds?: (number | null)[];
  /** 95th percentile, within 1 %. */
  p95_seconds?: (number | null)[];
  /** Longest execution time. */
  max_seconds?: (number | null)[];
  /** Run time of the latest run of the window. */
  last_run?: (Timestamp | null)[];
  /** What became of that run. */
  last_outcome?: ("failed" | "open" | "success" | null)[];
  /** Newest finished runs of the window that ended alike; negative for failures. */
  streak?: number[];
  /** How often the result changed from one run to the next. */
  flips?: number[];
  /** Time since the latest run, until the end of the window or now. */
  silent_seconds?: (number | null)[];
  /** Longest time between finished runs of the 28 days before the end. */
  longest_gap_seconds?: (number | null)[];
  /** Runs of the window before. */
  previous_runs?: (number | null)[];
  /** Failed runs of the window before. */
  previous_failed?: (number | null)[];
  /** 95th percentile of the window before, within 1 %. */
  previous_p95_seconds?: (number | null)[];
  /** Probability that a run now takes longer than one before. */
  slower?: (number | null)[];
  /** How far the share of failures is from that before, in standard errors. */
  failure_z?: (number | null)[];
}

export interface Tasks {
  /** The start of the window. */
  start: Timestamp;
  /** The end of the window, which is not part of it. */
  end: Timestamp;
  /** The start of the window before. */
  previous_start: Timestamp | null;
  /** Whether that window is cut neither by retention nor the first run. */
  previous_complete: boolean | null;
  /** All tasks that match. */
  total_tasks: number;
  /** Whether there are more than these. */
  truncated: boolean;
  /** The figures. */
  columns: TaskColumns;
  /** Runs over time; null where no parts were asked for. */
  spark: Spark | null;
}

export interface TasksQuery {
  /** Only runs started then or later. */
  start_time?: Timestamp;
  /** Only runs started before. */
  end_time?: Timestamp;
  /** Whether to compare with the window of equal length before; `none` leaves it out. */
  compare?: "none" | "previous";
  /** About how many parts a spark line has; 0 leaves it out. */
  spark?: number;
  /** Columns to answer; all by default. */
  measures?: ("avg_seconds" | "failed" | "failure_z" | "flips" | "last_outcome" | "last_run" | "longest_gap_seconds" | "max_seconds" | "open" | "p50_seconds" | "p95_seconds" | "previous_failed" | "previous_p95_seconds" | "previous_runs" | "queued" | "retried" | "runs" | "silent_seconds" | "slower" | "streak" | "success_rate")[];
  /** Tasks at most. */
  limit?: number;
  /** Tasks to skip. */
  offset?: number;
  /** A column, or `attention`: who needs it first. */
  sort?: "attention" | "avg_seconds" | "failed" | "failure_z" | "flips" | "last_outcome" | "last_run" | "longest_gap_seconds" | "max_seconds" | "name" | "open" | "p50_seconds" | "p95_seconds" | "previous_failed" | "previous_p95_seconds" | "previous_runs" | "queued" | "retried" | "runs" | "silent_seconds" | "slower" | "streak" | "success_rate" | "task_id";
  /** Highest first, or lowest. */
  order?: "asc" | "desc";
  /** Only tasks whose name, tag or id contains it, in any case. */
  q?: string;
}

export interface FieldError {
  /** Its path, such as `limit`, `runs[17].attempt` or `runs[17].id`. */
  field: string;
  /** Why it is wrong. */
  message: string;
}

/** What GET of a route takes and answers. */
export interface Routes {
  "/runs": { query: RunsQuery; answer: RunPage };
  "/runs/{run_id}": { query: Record<string, never>; answer: Run };
  "/runs/{run_id}/context": { query: ContextQuery; answer: Context };
  "/task/{task_id}/latest": { query: Record<string, never>; answer: Run | null };
  "/export/runs": { query: ExportQuery; answer: string };
  "/stream/runs": { query: Filter; answer: RunChanges };
  "/task/{task_id}/stats": { query: TaskStatsQuery; answer: TaskStats };
  "/stats/summary": { query: SummaryQuery; answer: Summary };
  "/stats/histogram": { query: HistogramQuery; answer: Histogram };
  "/stats/durations": { query: DurationsQuery; answer: Durations };
  "/stats/tasks": { query: TasksQuery; answer: Tasks };
  "/stats/owners": { query: OwnersQuery; answer: Owners };
  "/stats/breakdown": { query: BreakdownQuery; answer: Breakdown };
  "/errors": { query: ErrorsQuery; answer: Errors };
  "/errors/{group}": { query: Filter; answer: ErrorGroupDetail };
  "/sql/schema": { query: Record<string, never>; answer: SqlSchema };
  "/tasks/names": { query: Record<string, never>; answer: TaskNames };
  "/views/{name}": { query: Record<string, never>; answer: View };
  "/views": { query: Record<string, never>; answer: Views };
  "/health": { query: Record<string, never>; answer: Health };
  "/ready": { query: Record<string, never>; answer: Ready };
  "/about": { query: Record<string, never>; answer: About };
  "/metrics": { query: Record<string, never>; answer: string };
  "/schema": { query: Record<string, never>; answer: Record<string, unknown> };
}
