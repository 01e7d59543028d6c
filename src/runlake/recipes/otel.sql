-- Spans of OpenTelemetry, one run a span, as the collector's file exporter writes them (OTLP in JSON, a line a batch):
--   exporters: {file: {path: spans.ndjson}}
-- Spans that begin something count: those without a parent, and consumers of messages. The task is the span's name in a
-- service. A span is over when it is written, so no run is open, and each is a first attempt.
WITH part AS (
    SELECT unnest(json_extract(json, '$.resourceSpans[*]')) AS part FROM source
), span AS (
    SELECT unnest(json_extract(part, '$.scopeSpans[*].spans[*]')) AS span,
           json_extract(part, '$.resource.attributes[*]') AS attributes
    FROM part
), named AS (
    SELECT span, list_transform(['service.name', 'service.instance.id', 'host.name', 'k8s.pod.name'], lambda name:
               list_filter(attributes, lambda one: one ->> 'key' = name)[1] ->> '$.value.stringValue') AS resource,
           (span ->> '$.status.code') IN ('2', 'STATUS_CODE_ERROR') AS is_failed,
           (span ->> 'startTimeUnixNano')::BIGINT // 1000 AS began,
           (span ->> 'endTimeUnixNano')::BIGINT // 1000 AS ended,
           json_extract(span, '$.events[*].attributes[*]') AS details
    FROM span
    WHERE coalesce(span ->> 'parentSpanId', '') = '' OR (span ->> 'kind') IN ('5', 'SPAN_KIND_CONSUMER')
)
SELECT md5(concat_ws(':', 'otel', span ->> 'traceId', span ->> 'spanId'))::UUID AS id,
       md5(concat_ws(':', 'otel', resource[1], span ->> 'name'))::UUID AS task_id,
       concat_ws('/', resource[1], span ->> 'name') AS task_name,
       coalesce(resource[2], resource[3], resource[4]) AS lease_owner,
       make_timestamptz(began) AS created_at,
       make_timestamptz(began) AS started_at,
       make_timestamptz(greatest(began, ended)) AS finished_at,  -- clocks that are set back end spans before they begin
       NOT coalesce(is_failed, false) AS success,
       CASE WHEN is_failed THEN coalesce(
           list_filter(details, lambda one: one ->> 'key' = 'exception.stacktrace')[1] ->> '$.value.stringValue',
           list_filter(details, lambda one: one ->> 'key' = 'exception.message')[1] ->> '$.value.stringValue',
           span ->> '$.status.message') END AS error,
       {'service': resource[1], 'name': span ->> 'name', 'trace': span ->> 'traceId'} AS output
FROM named
