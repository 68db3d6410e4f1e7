#include "base/secret.h"

extern char **environ;

/* One word of a name: of SUPABASE_SERVICE_ROLE_KEY, stripeSecretKey, session-token. */
static Str
next_word(Str *rest)
{
    size_t from = 0, i;
    while (from < rest->n && strchr("_-. ", rest->p[from]))
        from++;
    for (i = from; i < rest->n && !strchr("_-. ", rest->p[i]); i++)
        if (i > from && rest->p[i] >= 'A' && rest->p[i] <= 'Z' && rest->p[i - 1] >= 'a' &&
            rest->p[i - 1] <= 'z')
            break;
    Str word = str_slice(*rest, from, i);
    *rest = str_slice(*rest, i, rest->n);
    return word;
}

static bool
is_listed(Str word, const char *const *list, size_t n, bool at_end)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(list[i]);
        Str end = at_end && word.n > length ? str_slice(word, word.n - length, word.n) : word;
        if (str_ieq(end, str_of(list[i])))
            return true;
    }
    return false;
}

bool
secret_is_name(Str name)
{
    static const char *const endings[] = {"SECRET",     "SECRETS",    "PASSWORD",
                                          "PASSWORDS",  "PASSWD",     "TOKEN",
                                          "PASSPHRASE", "CREDENTIAL", "CREDENTIALS"},
                             *const whole[] = {"KEY",    "KEYS",      "APIKEY",       "ACCESSKEY",
                                               "PASS",   "PWD",       "SECRETKEY",    "PRIVATEKEY",
                                               "PEPPER", "AUTHTOKEN", "ENCRYPTIONKEY"},
                             *const open[] = {"PUBLIC", "PUBLISHABLE", "ANON", "VITE"},
                             *const about[] = {"FILE",    "PATH",   "DIR",   "TTL",       "EXPIRY",
                                               "EXPIRES", "LENGTH", "HOST",  "ALGORITHM", "NAME",
                                               "PREFIX",  "HEADER", "ISSUER"};
    bool is = false, of_shell = str_is(name, "PWD") || str_is(name, "OLDPWD");
    Str word = {0};
    for (Str rest = name; rest.n;) {
        Str next = next_word(&rest);
        if (!next.n)
            break;
        word = next;
        if (is_listed(word, open, COUNT(open), false))
            return false;
        is = is || is_listed(word, whole, COUNT(whole), false) ||
             is_listed(word, endings, COUNT(endings), true);
    }
    return is && !of_shell && !is_listed(word, about, COUNT(about), false);
}

const char *const *
secret_free_environment(Arena *a, const char *const *kept)
{
    VEC(const char *) list = {0};
    for (char **e = environ; *e; e++) {
        Str name = {*e, strcspn(*e, "=")};
        bool is_kept = !secret_is_name(name);
        for (const char *const *k = kept; k && *k && !is_kept; k++)
            is_kept = str_is(name, *k);
        if (is_kept)
            *vec_add(a, &list) = *e;
    }
    *vec_add(a, &list) = NULL;
    return list.v;
}
