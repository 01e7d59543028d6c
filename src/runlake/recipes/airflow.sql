-- Task instances of Apache Airflow (2.10 and later), one run a try, from its metadata database:
--   COLUMNS=dag_id,task_id,run_id,map_index,try_number,state,hostname,operator,queued_dttm,start_date,end_date
--   psql -d airflow --csv -c "SELECT $COLUMNS FROM task_instance
--                             UNION ALL SELECT $COLUMNS FROM task_instance_history" > tries.csv
-- The task is a task of a DAG; mapped instances share it. What never ran (skipped, upstream_failed, removed) is left
-- out. The database has no texts of errors: they are in Airflow's logs. A try that somebody marks otherwise later
-- conflicts: --rejects loads the others.
WITH tried AS (
    SELECT *, coalesce(queued_dttm, start_date)::TIMESTAMPTZ AS created, start_date::TIMESTAMPTZ AS began,
           end_date::TIMESTAMPTZ AS ended,
           state IN ('success', 'failed', 'up_for_retry') AND end_date IS NOT NULL AS is_over  -- the others go on
    FROM source
    WHERE state IN ('success', 'failed', 'up_for_retry', 'queued', 'scheduled', 'running', 'restarting', 'deferred',
                    'up_for_reschedule')
    QUALIFY row_number() OVER (  -- a try that was cleared while it ran is in both tables
        PARTITION BY dag_id, task_id, run_id, map_index, try_number ORDER BY ended NULLS LAST) = 1
)
SELECT md5(concat_ws(':', 'airflow', dag_id, task_id, run_id, map_index, try_number))::UUID AS id,
       md5(concat_ws(':', 'airflow', dag_id, task_id))::UUID AS task_id,
       concat_ws('.', dag_id, task_id) AS task_name,
       nullif(hostname, '') AS lease_owner,
       least(created, began) AS created_at,
       CASE WHEN state NOT IN ('queued', 'scheduled') THEN began END AS started_at,
       CASE WHEN is_over THEN ended END AS finished_at,
       CASE WHEN is_over THEN state = 'success' END AS success,
       CASE WHEN is_over AND state <> 'success' THEN concat(operator, ' failed: ', dag_id, '.', task_id) END AS error,
       greatest(try_number::INTEGER, 1) AS attempt,
       {'dag': dag_id, 'task': task_id, 'run': run_id, 'map_index': map_index::INTEGER} AS output
FROM tried WHERE created IS NOT NULL
