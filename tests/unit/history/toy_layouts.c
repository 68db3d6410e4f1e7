/* In place of src/history/layouts.c: linked first, so that the library's own table is left out. */
#include "toy.h"

const HistoryLayout *const history_layouts[] = {
    &history_prisma,
    &history_toy,
    NULL,
};
