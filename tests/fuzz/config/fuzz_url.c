/* URLs parse or fail with a place; what is shown parses again to the same target; redacting and
 * showing never let the password through. */
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    Str text = {(const char *)data, size};
    const char *z = str_dup(a, text);
    DbUrl url, again;
    Err err = {0};
    url_redact(a, text, NULL, 0);
    if (!url_parse(a, z, "fuzz", &url, &err)) {
        check(err.code == ERR_URL && err.primary[0]);
        return 0;
    }
    check(url.hosts.n > 0 && url.database);
    char *shown = url_shown(a, &url);
    check(url_parse(a, shown, "shown", &again, &err));
    check(!again.password && again.hosts.n == url.hosts.n);
    check(strcmp(again.database, url.database) == 0);
    if (url.password && strlen(url.password) > 0) {
        const char *secrets[] = {url.password};
        char *safe = url_redact(a, str_of(z), secrets, 1);
        check(strlen(url.password) < 5 || !strstr(safe, url.password));
    }
    return 0;
}
