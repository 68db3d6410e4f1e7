#include "db/resolve.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

typedef struct Task {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done, abandoned;
    void (*fn)(void *);
    void (*free_arg)(void *);
    void *arg;
} Task;

static void
task_free(Task *t)
{
    pthread_cond_destroy(&t->done_cond);
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

static void *
task_main(void *p)
{
    Task *t = p;
    t->fn(t->arg);
    pthread_mutex_lock(&t->lock);
    t->done = true;
    bool abandoned = t->abandoned;
    pthread_cond_signal(&t->done_cond);
    pthread_mutex_unlock(&t->lock);
    if (abandoned) {
        t->free_arg(t->arg);
        task_free(t);
    }
    return NULL;
}

static Task *
task_make(void (*fn)(void *), void *arg, void (*free_arg)(void *))
{
    Task *t = mem_alloc(sizeof *t);
    *t = (Task){.fn = fn, .arg = arg, .free_arg = free_arg};
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->done_cond, &attr);
    pthread_condattr_destroy(&attr);
    return t;
}

bool
run_with_deadline(void (*fn)(void *), void *arg, void (*free_arg)(void *), int64_t timeout_ms)
{
    Task *t = task_make(fn, arg, free_arg);
    /* Signals are for the main thread: its waits look at the flag that the handlers set. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, task_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) { /* no thread to be had: without a deadline is better than not at all */
        fn(arg);
        task_free(t);
        return true;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&t->lock);
    while (!t->done && pthread_cond_timedwait(&t->done_cond, &t->lock, &until) == 0)
        ;
    bool done = t->done;
    t->abandoned = !done;
    pthread_mutex_unlock(&t->lock);
    if (!done) {
        pthread_detach(thread);
        return false;
    }
    pthread_join(thread, NULL);
    task_free(t);
    return true;
}

enum { ADDRESSES_MAX = 16 };

typedef struct Lookup {
    char host[256];
    char addresses[ADDRESSES_MAX][64];
    int count;
    int error;
} Lookup;

static void
lookup(void *p)
{
    Lookup *l = p;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    l->error = getaddrinfo(l->host, NULL, &hints, &list);
    for (struct addrinfo *i = list; i && l->count < ADDRESSES_MAX; i = i->ai_next)
        if (getnameinfo(i->ai_addr, i->ai_addrlen, l->addresses[l->count], sizeof l->addresses[0],
                        NULL, 0, NI_NUMERICHOST) == 0)
            l->count++;
    if (list)
        freeaddrinfo(list);
}

ResolveEnd
resolve_host(Arena *a, const char *host, int64_t timeout_ms, AddressVec *ret, const char **reason)
{
    *ret = (AddressVec){0};
    *reason = "";
    Lookup *l = mem_alloc(sizeof *l);
    *l = (Lookup){0};
    if (strlen(host) >= sizeof l->host) {
        mem_free(l);
        *reason = "the name is too long";
        return RESOLVE_UNKNOWN;
    }
    memcpy(l->host, host, strlen(host) + 1);
    if (!run_with_deadline(lookup, l, mem_free, timeout_ms))
        return RESOLVE_TIMEOUT;
    ResolveEnd end = RESOLVE_OK;
    if (l->error) {
        *reason = str_dupz(a, gai_strerror(l->error));
        end = l->error == EAI_AGAIN ? RESOLVE_AGAIN : RESOLVE_UNKNOWN;
    }
    for (int i = 0; i < l->count; i++)
        *vec_add(a, ret) = str_dupz(a, l->addresses[i]);
    mem_free(l);
    return end == RESOLVE_OK && ret->n == 0 ? RESOLVE_UNKNOWN : end;
}

bool
db_is_numeric(const char *host)
{
    unsigned char buf[16];
    return inet_pton(AF_INET, host, buf) == 1 || inet_pton(AF_INET6, host, buf) == 1 ||
           strchr(host, '%');
}
