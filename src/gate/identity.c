#include "gate/gate.h"

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

IdentityMatch
identity_match(const IdentityPlace *written, const IdentityPlace *now)
{
    bool same_name = same(written->database, now->database);
    if (written->branch && now->branch && strcmp(written->branch, now->branch) != 0)
        return IDENTITY_COPY;
    if (!written->system || !now->system) /* nothing proves a copy */
        return same_name ? IDENTITY_SAME : IDENTITY_RENAMED;
    if (strcmp(written->system, now->system) != 0)
        return same_name && same(written->address, now->address) ? IDENTITY_MOVED : IDENTITY_COPY;
    if (same(written->oid, now->oid))
        return same_name ? IDENTITY_SAME : IDENTITY_RENAMED;
    /* A server has a name once: the one that was marked is gone. */
    return same_name ? IDENTITY_MOVED : IDENTITY_COPY;
}

const char *
identity_match_name(IdentityMatch match)
{
    static const char *const names[] = {"same", "renamed", "moved", "copy"};
    return names[match];
}
