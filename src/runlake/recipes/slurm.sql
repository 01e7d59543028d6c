-- Slurm jobs, one run an allocation, as its accounting database knows them:
--   SLURM_TIME_FORMAT=%s sacct --allusers --allocations --duplicates --parsable2 --starttime now-30days --format \
--   Cluster,DBIndex,JobID,JobName,User,Account,Partition,NodeList,State,ExitCode,Restarts,Submit,Start,End > jobs.csv
-- The task is a user's job name; elements of an array share it. A job that was requeued has a run for each start.
WITH job AS (
    SELECT *, split_part(State, ' ', 1) AS state_word,
           to_timestamp(TRY_CAST(Submit AS BIGINT)) AS submitted,
           to_timestamp(TRY_CAST(Start AS BIGINT)) AS began,  -- not a number (Unknown, None) before the job starts
           to_timestamp(TRY_CAST("End" AS BIGINT)) AS ended
    FROM source
), known AS (
    SELECT *, state_word IN ('PENDING', 'RUNNING', 'SUSPENDED', 'REQUEUE_HOLD', 'RESV_DEL_HOLD', 'SPECIAL_EXIT',
                             'STOPPED', 'CONFIGURING', 'COMPLETING', 'RESIZING', 'SIGNALING', 'STAGE_OUT') AS is_open
    FROM job
)
SELECT md5(concat_ws(':', 'slurm', Cluster, DBIndex))::UUID AS id,
       md5(concat_ws(':', 'slurm', Cluster, User, JobName))::UUID AS task_id,
       concat_ws('/', User, JobName) AS task_name,
       CASE WHEN began IS NOT NULL AND NodeList NOT LIKE 'None%' THEN left(NodeList, 255) END AS lease_owner,
       submitted AS created_at,
       began AS started_at,
       CASE WHEN NOT is_open THEN ended END AS finished_at,
       CASE WHEN NOT is_open THEN state_word = 'COMPLETED' END AS success,
       CASE WHEN NOT is_open AND state_word <> 'COMPLETED' THEN concat(State, ', exit code ', ExitCode) END AS error,
       coalesce(TRY_CAST(Restarts AS INTEGER), 0) + 1 AS attempt,
       {'job': JobID, 'account': Account, 'partition': Partition} AS output
FROM known
