/* What is worth another try, how often, and after which pause. */
#include "db/db_int.h"

#include "base/invariant.h"
#include "base/os.h"

static const struct {
    char state[6];
    DbRetry retry;
} table[] = {
    {"55P03", DB_RETRY_LOCK},       /* lock_not_available */
    {"40001", DB_RETRY_CONFLICT},   /* serialization_failure */
    {"40P01", DB_RETRY_CONFLICT},   /* deadlock_detected */
    {"08000", DB_RETRY_CONNECTION}, /* connection_exception */
    {"08001", DB_RETRY_CONNECTION}, /* sqlclient_unable_to_establish_sqlconnection */
    {"08003", DB_RETRY_CONNECTION}, /* connection_does_not_exist */
    {"08004", DB_RETRY_CONNECTION}, /* sqlserver_rejected_establishment_of_sqlconnection */
    {"08006", DB_RETRY_CONNECTION}, /* connection_failure */
    {"53300", DB_RETRY_CONNECTION}, /* too_many_connections */
    {"57P01", DB_RETRY_CONNECTION}, /* admin_shutdown */
    {"57P02", DB_RETRY_CONNECTION}, /* crash_shutdown */
    {"57P03", DB_RETRY_CONNECTION}, /* cannot_connect_now */
    {"57P05", DB_RETRY_CONNECTION}, /* idle_session_timeout */
    {"25P03", DB_RETRY_CONNECTION}, /* idle_in_transaction_session_timeout */
};

DbRetry
db_retry_class(const char *sqlstate)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (strcmp(table[i].state, sqlstate) == 0)
            return table[i].retry;
    return DB_RETRY_NEVER;
}

/* Between the half and the whole of base * 2^(attempt-1), at most cap. */
static int64_t
backoff_ms(int64_t base_ms, int64_t cap_ms, int attempt)
{
    int64_t top = base_ms > 0 ? base_ms : 1;
    for (int i = 1; i < attempt && top < cap_ms; i++)
        top *= 2;
    if (top > cap_ms)
        top = cap_ms;
    uint32_t r;
    os_random(&r, sizeof r);
    return top / 2 + (int64_t)(r % (uint32_t)(top / 2 + 1));
}

enum {
    BY_SETTING = -1, /* as often as `retries` says */
    BY_TIME = -2,    /* until the caller's budget of time is spent */
};

static const struct {
    int retries;     /* tries after the first one */
    int64_t base_ms; /* 0 = as `retry_delay` says */
    int64_t cap_ms;
} patience[DB_PATIENCE_COUNT] = {
    [DB_PATIENCE_CONNECT] = {BY_SETTING, 0, 5000},
    [DB_PATIENCE_BUSY] = {BY_TIME, 0, 1000},
    [DB_PATIENCE_PASS] = {BY_SETTING, 0, 5000},
    [DB_PATIENCE_YIELD] = {10, 0, 5000},
    [DB_PATIENCE_CONFLICT] = {BY_SETTING, 0, 10000},
    [DB_PATIENCE_ALONE] = {BY_SETTING, 0, 5000},
    [DB_PATIENCE_LOCK] = {BY_TIME, 100, 2000},
    [DB_PATIENCE_DUMP] = {BY_TIME, 500, 5000},
    [DB_PATIENCE_SCHEMA] = {19, 20, 500},
};

bool
db_may_retry(DbPatience p, long long retries, int failures)
{
    INVARIANT(p < DB_PATIENCE_COUNT && failures > 0, "a retry of nothing that has failed");
    if (patience[p].retries == BY_TIME)
        return true;
    return failures <= (patience[p].retries == BY_SETTING ? retries : patience[p].retries);
}

int64_t
db_retry_ms(DbPatience p, int64_t delay_ms, int failures)
{
    int64_t base = patience[p].base_ms;
    return backoff_ms(base ? base : delay_ms, patience[p].cap_ms, failures);
}
