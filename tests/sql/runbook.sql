-- Every SQL statement of the runbook, word for word. A line of === names the section it is from.

-- === Suivi
-- Latence moyenne first
SELECT AVG(
  EXTRACT(EPOCH FROM (metadata->>'first_received_at')::timestamptz - created_at)
) as avg_first_latency_seconds
FROM parcours_segments
WHERE status IN ('first', 'complete');

-- Taux d'erreurs
SELECT 
  status,
  COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () as percent
FROM parcours_segments
GROUP BY status;

-- Runs par utilisateur (top abuse)
SELECT user_id, COUNT(*) as run_count
FROM parcours_runs
WHERE created_at > now() - interval '7 days'
GROUP BY user_id
ORDER BY run_count DESC
LIMIT 10;

-- === Segments bloqués en 'generating'
-- Vérifier segments bloqués
SELECT id, run_id, created_at, status, suno_task_id, metadata
FROM parcours_segments
WHERE status = 'generating'
  AND created_at < now() - interval '5 minutes';

-- Retry manuel (si Suno task_id existe)
-- → recréer segment avec nouveau callback_token

-- === "Failed to sign URL" (sign-track)
-- Vérifier storage_path
SELECT id, storage_path, final_url, preview_url
FROM parcours_segments
WHERE id = '<segment_id>';

-- Fallback: remettre final_url si encore valide
UPDATE parcours_segments
SET final_url = metadata->>'suno_download_url'
WHERE id = '<segment_id>' AND storage_path IS NULL;

-- === Smoke test complet
SELECT status FROM parcours_runs WHERE id='$RUN_ID';

SELECT id FROM parcours_segments WHERE run_id='$RUN_ID' LIMIT 1;

-- === Phase 1: 5% users
-- Feature flag (à créer)
CREATE TABLE feature_flags (
  user_id UUID PRIMARY KEY,
  parcours_xl_enabled BOOLEAN DEFAULT false
);

-- Activer 5%
INSERT INTO feature_flags (user_id, parcours_xl_enabled)
SELECT id, (RANDOM() < 0.05)
FROM auth.users
WHERE created_at < now() - interval '30 days';
