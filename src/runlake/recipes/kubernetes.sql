-- Pods of Kubernetes Jobs, one run a pod, and so an attempt:
--   kubectl get pods --all-namespaces --selector job-name --output json > pods.json
-- The task is the CronJob, or the Job, of a namespace: the number at the end of a scheduled Job's name is left out.
-- Attempts are counted for each Job (and each index of an indexed one). Kubernetes forgets finished Jobs: export often.
-- Where it has forgotten a pod, later ones have other attempts and conflict: --rejects loads the others.
WITH pod AS (
    SELECT unnest(json_extract(json, '$.items[*]')) AS pod FROM source
), named AS (
    SELECT pod, pod ->> '$.metadata.namespace' AS namespace, pod ->> '$.metadata.labels.job-name' AS job,
           pod ->> '$.status.phase' AS phase, (pod ->> '$.metadata.creationTimestamp')::TIMESTAMPTZ AS created,
           list_min(json_extract_string(pod, '$.status.containerStatuses[*].state.*.startedAt')) AS began,
           list_max(json_extract_string(pod, '$.status.containerStatuses[*].state.terminated.finishedAt')) AS ended,
           list_max(json_extract_string(pod, '$.status.conditions[*].lastTransitionTime')) AS changed,
           list_concat(json_extract(pod, '$.status.initContainerStatuses[*].state.terminated'),
                       json_extract(pod, '$.status.containerStatuses[*].state.terminated')) AS terminated,
           coalesce(pod ->> '$.metadata.labels."batch.kubernetes.io/job-completion-index"',
                    pod ->> '$.metadata.annotations."batch.kubernetes.io/job-completion-index"') AS completion_index
    FROM pod
)
SELECT (pod ->> '$.metadata.uid')::UUID AS id,
       md5(concat_ws(':', 'kubernetes', namespace, regexp_replace(job, '-\d{8,}$', '')))::UUID AS task_id,
       concat_ws('/', namespace, regexp_replace(job, '-\d{8,}$', '')) AS task_name,
       pod ->> '$.spec.nodeName' AS lease_owner,
       created AS created_at,
       coalesce(began, pod ->> '$.status.startTime') AS started_at,
       CASE WHEN phase IN ('Succeeded', 'Failed')
            THEN coalesce(ended, changed, pod ->> '$.status.startTime', created::VARCHAR) END AS finished_at,
       CASE phase WHEN 'Succeeded' THEN true WHEN 'Failed' THEN false END AS success,
       CASE WHEN phase = 'Failed' THEN concat_ws('; ',
           nullif(concat_ws(': ', pod ->> '$.status.reason', pod ->> '$.status.message'), ''),
           nullif(array_to_string(list_transform(terminated, lambda one: concat_ws(' ', one ->> 'reason', 'exit code',
               one ->> 'exitCode', one ->> 'message')), '; '), '')) END AS error,
       row_number() OVER (PARTITION BY namespace, job, completion_index
                          ORDER BY created, pod ->> '$.metadata.name') AS attempt,
       {'pod': pod ->> '$.metadata.name', 'namespace': namespace, 'job': job} AS output
FROM named
