/* In place of src/history/layouts.c: linked first, so that the library's own table is left out. */
#include "toy.h"

const HistoryLayout *const history_layouts[] = {
    &history_prisma, &history_drizzle_1, &history_drizzle, &history_supabase,
    &history_dbmate, &history_plain,     &history_toy,     NULL,
};
