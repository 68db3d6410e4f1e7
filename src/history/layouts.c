/* A file of its own, so that tests can link another table. */
#include "history/history.h"

const HistoryLayout *const history_layouts[] = {
    &history_prisma,
    NULL,
};
