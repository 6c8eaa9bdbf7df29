-- When a subscription is renewed: somewhere in the second half of the life its provider granted.

alter table calendar_subscriptions
    add column renew_at timestamptz;
