-- owner: llm
-- Not null: its receiver is not asked any more, and why.

alter table budgets add column webhook_error text;
