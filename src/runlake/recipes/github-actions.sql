-- Runs of GitHub Actions workflows, one run an attempt, as the REST API lists them:
--   gh api --paginate '/repos/OWNER/REPO/actions/runs?per_page=100' --jq '.workflow_runs[]' > runs.ndjson
-- The task is the workflow of a repository. A list has the newest attempt of a run only: an export before a re-run and
-- one after it give both. Skipped runs are left out. GitHub keeps no time of the end: it is the last update.
WITH attempted AS (
    SELECT *, json ->> '$.repository.full_name' AS repository_name, run_attempt::INTEGER AS number,
           status = 'completed' AS is_over
    FROM source
)
SELECT md5(concat_ws(':', 'github', id, number))::UUID AS id,
       md5(concat_ws(':', 'github', repository_name, workflow_id))::UUID AS task_id,
       CASE WHEN number > 1 THEN run_started_at ELSE created_at END AS created_at,
       CASE WHEN is_over OR status = 'in_progress' THEN run_started_at END AS started_at,
       CASE WHEN is_over THEN updated_at END AS finished_at,
       CASE WHEN is_over THEN conclusion IN ('success', 'neutral') END AS success,
       CASE WHEN is_over AND conclusion NOT IN ('success', 'neutral') THEN concat(name, ': ', conclusion) END AS error,
       number AS attempt,
       {'workflow': name, 'repository': repository_name, 'branch': head_branch, 'commit': head_sha, 'event': event,
        'url': html_url} AS output
FROM attempted WHERE conclusion IS DISTINCT FROM 'skipped'
