-- Nodes that dbt ran (models, tests, seeds, snapshots), one run a node, from a copy of what each invocation leaves:
--   cp target/run_results.json results-$(date +%s).json
-- The task is a node. Nodes that were skipped are left out. dbt numbers no attempts: a retry is a new invocation.
WITH node AS (
    SELECT json ->> '$.metadata.invocation_id' AS invocation, json ->> '$.metadata.generated_at' AS generated,
           unnest(json_extract(json, '$.results[*]')) AS result
    FROM source WHERE coalesce(json ->> '$.args.which', '') NOT IN ('compile', 'generate', 'show')  -- these run no node
), timed AS (
    SELECT invocation, result, result ->> 'unique_id' AS name, result ->> 'status' AS status,
           generated::TIMESTAMPTZ AS ended,
           json_extract_string(result, '$.timing[*].started_at')::TIMESTAMPTZ[] AS starts,
           json_extract_string(result, '$.timing[*].completed_at')::TIMESTAMPTZ[] AS ends
    FROM node WHERE (result ->> 'status') NOT IN ('skipped', 'no-op')
)
SELECT md5(concat_ws(':', 'dbt', invocation, name))::UUID AS id,
       md5(concat_ws(':', 'dbt', name))::UUID AS task_id,
       name AS task_name,
       result ->> 'thread_id' AS lease_owner,
       coalesce(list_min(starts), ended) AS created_at,
       coalesce(list_min(starts), ended) AS started_at,
       coalesce(list_max(ends), ended) AS finished_at,
       status IN ('success', 'pass', 'warn') AS success,
       CASE WHEN status NOT IN ('success', 'pass', 'warn') THEN coalesce(result ->> 'message', status) END AS error,
       {'node': name, 'status': status, 'failures': (result ->> 'failures')::BIGINT, 'invocation': invocation,
        'adapter': result -> 'adapter_response'} AS output
FROM timed
