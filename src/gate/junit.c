/* JUnit's XML, as far as it counts: which tests there were, and which have failed. */
#include "gate/evidence.h"

/* Skip what holds no elements, from the '<' at `at`; the byte behind it, or `at` where it is an element. */
static size_t
skip_other(Str text, size_t at)
{
    static const struct {
        const char *begin, *end;
    } others[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}};
    for (size_t i = 0; i < COUNT(others); i++) {
        Str rest = str_slice(text, at, text.n), end = str_of(others[i].end);
        if (!str_starts(rest, str_of(others[i].begin)))
            continue;
        const char *found = memmem(rest.p, rest.n, end.p, end.n);
        return found ? (size_t)(found - text.p) + end.n : text.n;
    }
    return at;
}

static bool
is_element(Str rest, const char *name)
{
    size_t n = strlen(name);
    return rest.n > n + 1 && memcmp(rest.p + 1, name, n) == 0 && strchr(" \t\r\n/>", rest.p[n + 1]);
}

bool
gate_junit(Str text, GateTests *ret)
{
    bool counted = false; /* this case has failed already */
    *ret = (GateTests){0};
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '<')
            continue;
        size_t behind = skip_other(text, i);
        if (behind != i) {
            i = behind - 1;
            continue;
        }
        Str rest = str_slice(text, i, text.n);
        if (is_element(rest, "testcase")) {
            ret->cases++;
            counted = false;
        } else if ((is_element(rest, "failure") || is_element(rest, "error")) && !counted) {
            ret->failed++;
            counted = true;
        } else if (is_element(rest, "skipped"))
            ret->skipped++;
    }
    return ret->cases > 0;
}
