-- Regular intervals: an app that comes back to one destination at an even pace.
--
-- The spread of its pauses is their median absolute deviation over their median: 0 for a clock, about 0.25 for pauses
-- drawn evenly between half and one and a half times their mean. Raised wrongly by whatever syncs by a timer: push
-- heartbeats, mail, weather, tickers. Blind to polls inside one long connection, and to jitter above about a third.
--
-- droidrange: analytic AN1793
-- droidrange: knob least_regularity 0.8 0.01 1
-- droidrange: parameter least_contacts 12
WITH contacts AS (
  SELECT device, uid, package, coalesce(name, server) AS peer, start
  FROM flows
  WHERE NOT inbound AND established AND app_proto IS DISTINCT FROM 'dns'
),
pauses AS (
  SELECT *, start - lag(start) OVER destination AS pause
  FROM contacts
  WINDOW destination AS (PARTITION BY device, uid, package, peer ORDER BY start)
),
running AS (  -- what was known at each contact, and nothing of later
  SELECT *,
    count(*) OVER so_far AS contacts,
    median(pause) OVER so_far AS usual,
    mad(pause) OVER so_far AS deviation
  FROM pauses
  WINDOW so_far AS (PARTITION BY device, uid, package, peer ORDER BY start ROWS UNBOUNDED PRECEDING)
),
rated AS (
  SELECT *, CASE WHEN contacts >= $least_contacts AND usual > 0 THEN greatest(0, 1 - deviation / usual) END AS regularity
  FROM running
)
SELECT
  device, uid, package, peer,
  min(start) AS first_seen,
  max(start) AS last_seen,
  coalesce(min(start) FILTER (WHERE regularity >= $least_regularity), max(start)) AS decided_at,
  max(regularity) AS score,
  max(regularity) >= $least_regularity AS alert,
  max(regularity) AS least_regularity,
  max(contacts) AS contacts,
  round(arg_max(usual, regularity) / 1e6) AS pause_s,
  'comes back about every ' || round(arg_max(usual, regularity) / 1e6)::BIGINT || ' s, '
    || max(contacts) || ' times' AS text
FROM rated
GROUP BY device, uid, package, peer
HAVING max(regularity) >= $least_regularity / 2
