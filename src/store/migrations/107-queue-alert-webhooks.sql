-- owner: dashboard
-- Not null: its receiver is not asked any more, and why.

alter table queue_alert_rules add column webhook_error text;
