/* What supabase/config.toml says of files of SQL. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

typedef VEC(const char *) SupabaseFiles;

/* The files that a list of strings names: patterns below the folder of the configuration, each with its files
 * in order, each file once. None where the file or the key is not there.
 *
 * dir      the folder with config.toml
 * section  "[db.seed]"
 * errors   ERR_IO */
MUST_CHECK bool supabase_config_files(Arena *a, const char *dir, const char *section,
                                      const char *key, SupabaseFiles *ret, Err *err);

/* What a key is set to, without quotes; p == NULL where it is not there. errors: ERR_IO */
MUST_CHECK bool supabase_config_value(Arena *a, const char *dir, const char *section,
                                      const char *key, Str *ret, Err *err);
