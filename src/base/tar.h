/* A tar archive in memory (POSIX ustar): regular files of mode 0600 only.
 * Format: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
#pragma once

#include "base/str.h"

/* Add a file. name: relative, at most 100 bytes; time in seconds since 1970. */
void tar_add(Buf *archive, const char *name, Str content, int64_t time_s);

/* End the archive. */
void tar_end(Buf *archive);
