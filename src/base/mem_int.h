/* Internal to base/, and for tests of what memory something costs. */
#pragma once

#include "base/mem.h"

/* Total bytes that the arena holds from the system (chunks, used or not). */
size_t arena_bytes(const Arena *a);
