/* Between the files of our own dump. */
#pragma once

#include "backup/native.h"

/* Whether the dump has objects of this kind of CatOther (catalog.h). */
bool native_is_other_dumped(const char *what);

/* Queries whose rows are statements that make them, to be run last and in this order. */
Str native_others_sql(Arena *a, int major);
