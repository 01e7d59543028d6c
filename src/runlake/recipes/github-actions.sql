-- Runs of GitHub Actions workflows, one run an attempt, as the REST API lists them:
--   gh api --paginate '/repos/OWNER/REPO/actions/runs?per_page=100' --jq '.workflow_runs[]' > runs.ndjson
-- The task is the workflow of a repository. A list has the newest attempt of a run only: an export before a re-run and
-- one after it give both. What was skipped, or waits for approval, is left out. GitHub keeps no time of the end: it is
-- the last update. Where that moves later, the run conflicts: --rejects loads the others.
WITH record AS (
    SELECT json, json ->> '$.id' AS id, json ->> '$.name' AS name, json ->> '$.workflow_id' AS workflow_id,
           json ->> '$.status' AS status, json ->> '$.conclusion' AS conclusion, json ->> '$.created_at' AS created_at,
           json ->> '$.run_started_at' AS run_started_at, json ->> '$.updated_at' AS updated_at,
           json ->> '$.repository.full_name' AS repository_name
    FROM source
), attempted AS (
    SELECT *, (json ->> '$.run_attempt')::INTEGER AS number, status = 'completed' AS is_over FROM record
)
SELECT md5(concat_ws(':', 'github', id, number))::UUID AS id,
       md5(concat_ws(':', 'github', repository_name, workflow_id))::UUID AS task_id,
       concat_ws('/', repository_name, name) AS task_name,
       CASE WHEN number > 1 THEN run_started_at ELSE created_at END AS created_at,
       CASE WHEN is_over OR status = 'in_progress' THEN run_started_at END AS started_at,
       CASE WHEN is_over THEN updated_at END AS finished_at,
       CASE WHEN is_over THEN conclusion IN ('success', 'neutral') END AS success,
       CASE WHEN is_over AND conclusion NOT IN ('success', 'neutral') THEN concat(name, ': ', conclusion) END AS error,
       number AS attempt,
       {'workflow': name, 'repository': repository_name, 'branch': json ->> '$.head_branch',
        'commit': json ->> '$.head_sha', 'event': json ->> '$.event', 'url': json ->> '$.html_url'} AS output
FROM attempted WHERE coalesce(conclusion, '') NOT IN ('skipped', 'action_required')
