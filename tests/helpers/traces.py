"""How the two public traces become runs: the SELECTs of their imports."""

from __future__ import annotations

from typing import Final

LCG: Final = r"""
WITH jobs AS (
  SELECT string_split_regex(trim(line), '\s+') AS f FROM source WHERE line NOT LIKE ';%'
)
SELECT md5('lcg:' || f[1])::UUID AS id,
       md5('lcg-user:' || f[12])::UUID AS task_id,
       'site-' || f[16] AS lease_owner,
       to_timestamp(1132444805 + f[2]::BIGINT) AS created_at,
       to_timestamp(1132444805 + f[2]::BIGINT + greatest(f[3]::BIGINT, 0)) AS started_at,
       to_timestamp(1132444805 + f[2]::BIGINT + greatest(f[3]::BIGINT, 0) + f[4]::BIGINT) AS finished_at,
       true AS success,
       {'job': f[1]::BIGINT, 'group': f[13]::BIGINT} AS output
FROM jobs"""
LORA: Final = """
SELECT md5('lora:' || row_number() OVER ())::UUID AS id,
       md5('lora-model:' || coalesce(checkpoint_model_version_id, 'none'))::UUID AS task_id,
       groupId AS lease_owner,
       gmt_create AS created_at,
       CASE WHEN predict_status <> 'PENDING' THEN gmt_create END AS started_at,
       CASE WHEN predict_status IN ('SUCCEED', 'FAILED')
            THEN gmt_create::TIMESTAMP + to_milliseconds((exec_time_seconds::DOUBLE * 1000)::BIGINT) END AS finished_at,
       CASE predict_status WHEN 'SUCCEED' THEN true WHEN 'FAILED' THEN false END AS success,
       {'type': predict_type, 'steps': num_inference_steps::DOUBLE, 'images': num_images_per_prompt::DOUBLE} AS output
FROM source"""
