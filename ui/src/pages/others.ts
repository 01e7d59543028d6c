// The pages that come with a second script, when one of them is first shown. One script, because each more is a request.

import '../app'; // as every script that comes later: else the first one would be cut into the parts that each shares

export { ComparePage } from './compare/page';
export { ErrorGroupPage } from './error_group/page';
export { ErrorsPage } from './errors/page';
export { RunPage } from './run';
export { MarkedRun } from './run/marked';
export { outputs } from './runs/outputs';
export { TaskPage } from './task/page';
export { TasksPage } from './tasks/page';
export { WorkersPage } from './workers/page';
