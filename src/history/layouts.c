/* A file of its own, so that tests can link another table. */
#include "history/history.h"

/* clang-format off */
const HistoryLayout *const history_layouts[] = {
    &history_prisma,
    &history_drizzle_1, /* whose table has more columns than that of */
    &history_drizzle,
    &history_supabase, /* whose table lies in a schema of its own, unlike that of */
    &history_dbmate,
    &history_node_pg_migrate,
    &history_graphile_migrate,
    &history_prisma8,
    &history_plain,
    NULL,
};
