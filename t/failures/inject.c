
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Linked into an nginx by "ld --wrap", for all that nginx, the module, cJSON
 * and libcrypto ask the system for: the n-th call of a kind fails, as it may in
 * life, in a process that is at work.  Which one is said by a file that
 * FAILURES names, a test writes and all processes of that nginx have mapped.
 * t/lib/Clockodo/Failures.pm is its other side.
 *
 * What is called "__wrap_" here is called in place of what has the rest of that
 * name: tools/asan tells the linker of each.
 */


#define _GNU_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>


#define FRAMES  24


typedef struct {
    char      kind[16];      /* empty: nothing is counted, nothing fails */
    uint32_t  nth;           /* from 1 on; 0: calls are counted only */
    uint32_t  on;            /* whether all that follow fail as well */
    int32_t   pid;           /* of the process; 0: any, < 0: forked since */
    uint32_t  met;           /* calls */
    uint32_t  failed;        /* those that did */
    char      call[20];      /* the one that failed first */
    uint32_t  nframes;
    uint32_t  serial;        /* of the order */
    uint64_t  frames[FRAMES];    /* where from, within the program's file */
} order_t;


typedef struct {
    int  file;
    int  socket;
} error_of_t;


static int fails(const char *kind, const char *call);
static int fails_of(const char *kind, const char *call, int fd,
    const error_of_t *error);
static mode_t type_of(int fd);


static order_t    idle;
static order_t   *order = &idle;
static uint32_t   born;          /* the order under which it was forked */
static uintptr_t  base;


/*
 * An allocator of its own for each: shared libraries would find the program's
 * malloc(), not what is wrapped here.
 */

void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *p, size_t size);


static void *
crypto_malloc(size_t size, const char *file, int line)
{
    (void) file;
    (void) line;

    return __wrap_malloc(size);
}


static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void) file;
    (void) line;

    return __wrap_realloc(p, size);
}


static void
crypto_free(void *p, const char *file, int line)
{
    (void) file;
    (void) line;

    free(p);
}


static int
find_base(struct dl_phdr_info *info, size_t size, void *data)
{
    (void) size;
    (void) data;

    base = info->dlpi_addr;

    return 1;                    /* the program comes first */
}


__attribute__((constructor)) static void
start(void)
{
    int          fd;
    void        *p, *frame[1];
    char        *name;
    cJSON_Hooks  hooks;

    name = getenv("FAILURES");

    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR|O_CLOEXEC);

    if (fd == -1) {
        abort();
    }

    p = mmap(NULL, sizeof(order_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        abort();
    }

    (void) close(fd);
    (void) dl_iterate_phdr(find_base, NULL);
    (void) backtrace(frame, 1);  /* takes memory when it is called first */

    hooks.malloc_fn = __wrap_malloc;
    hooks.free_fn = free;
    cJSON_InitHooks(&hooks);

    if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free))
    {
        abort();
    }

    order = p;
}


/* whether this call is to fail */

static int
fails(const char *kind, const char *call)
{
    int       i, n, error;
    void     *frame[FRAMES];
    uint32_t  met;

    if (order->kind[0] == '\0' || strcmp(order->kind, kind) != 0) {
        return 0;
    }

    if (order->pid > 0 ? order->pid != getpid()
                       : order->pid < 0 && born != order->serial)
    {
        return 0;
    }

    met = __atomic_add_fetch(&order->met, 1, __ATOMIC_SEQ_CST);

    if (order->nth == 0 || met < order->nth
        || (met > order->nth && !order->on))
    {
        return 0;
    }

    if (__atomic_fetch_add(&order->failed, 1, __ATOMIC_SEQ_CST)) {
        return 1;
    }

    error = errno;

    n = backtrace(frame, FRAMES);

    for (i = 0; i < n; i++) {
        order->frames[i] = (uintptr_t) frame[i] - base;
    }

    order->nframes = n;

    strncpy(order->call, call, sizeof(order->call) - 1);

    errno = error;

    return 1;
}


/* the error that such a file has, or 0 */

static int
fails_of(const char *kind, const char *call, int fd, const error_of_t *error)
{
    int  n;

    if (order->kind[0] == '\0') {
        return 0;
    }

    switch (type_of(fd)) {

    case S_IFSOCK:
        n = error->socket;
        break;

    case S_IFREG:
    case S_IFDIR:
        n = error->file;
        break;

    default:

        /* an eventfd or its like, which does not fail as nginx uses it */

        return 0;
    }

    return n && fails(kind, call) ? n : 0;
}


static mode_t
type_of(int fd)
{
    int          error;
    mode_t       type;
    struct stat  st;

    extern int __real_fstat64(int fd, struct stat *st);

    error = errno;
    type = __real_fstat64(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
    errno = error;

    return type;
}


/* A wrapper: what it returns if it fails, and with which error. */

#define WRAP(type, name, params, args, value, failure)                        \
                                                                              \
    type __real_##name params;                                                \
    type __wrap_##name params;                                                \
                                                                              \
    type                                                                      \
    __wrap_##name params                                                      \
    {                                                                         \
        int  error;                                                           \
                                                                              \
        error = (failure);                                                    \
                                                                              \
        if (error) {                                                          \
            errno = error;                                                    \
            return value;                                                     \
        }                                                                     \
                                                                              \
        return __real_##name args;                                            \
    }


/* memory */

#define MEMORY(name)  (fails("memory", name) ? ENOMEM : 0)

WRAP(void *, malloc, (size_t size), (size), NULL, MEMORY("malloc"))
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL,
     MEMORY("calloc"))
WRAP(void *, realloc, (void *p, size_t size), (p, size), NULL,
     MEMORY("realloc"))
WRAP(void *, memalign, (size_t alignment, size_t size), (alignment, size),
     NULL, MEMORY("memalign"))
WRAP(int, posix_memalign, (void **p, size_t alignment, size_t size),
     (p, alignment, size), ENOMEM, MEMORY("posix_memalign"))


/* the zone */

#define SLAB(name)  (fails("slab", name) ? ENOMEM : 0)

WRAP(void *, ngx_slab_alloc, (void *pool, size_t size), (pool, size), NULL,
     SLAB("ngx_slab_alloc"))
WRAP(void *, ngx_slab_calloc, (void *pool, size_t size), (pool, size), NULL,
     SLAB("ngx_slab_calloc"))
WRAP(void *, ngx_slab_alloc_locked, (void *pool, size_t size), (pool, size),
     NULL, SLAB("ngx_slab_alloc_locked"))
WRAP(void *, ngx_slab_calloc_locked, (void *pool, size_t size), (pool, size),
     NULL, SLAB("ngx_slab_calloc_locked"))


/*
 * Reading and writing.  A signal interrupts what may wait: sockets, not files.
 * Of a file there can be less than was asked for, and room for less; a socket
 * that does that calls again when there is more, which is not so here.
 */

static const error_of_t  on_read = { EIO, ECONNRESET };
static const error_of_t  on_write = { ENOSPC, EPIPE };
static const error_of_t  on_interrupt = { 0, EINTR };
static const error_of_t  on_short = { 1, 0 };

static int
read_fails(const char *call, int fd)
{
    int  error;

    error = fails_of("read", call, fd, &on_read);

    return error ? error : fails_of("interrupt", call, fd, &on_interrupt);
}


static int
write_fails(const char *call, int fd)
{
    int  error;

    error = fails_of("write", call, fd, &on_write);

    return error ? error : fails_of("interrupt", call, fd, &on_interrupt);
}


static size_t
shorter(const char *call, int fd, size_t size)
{
    return size > 1 && fails_of("short", call, fd, &on_short) ? size / 2 : size;
}


WRAP(ssize_t, read, (int fd, void *buf, size_t size),
     (fd, buf, shorter("read", fd, size)), -1, read_fails("read", fd))
WRAP(ssize_t, pread64, (int fd, void *buf, size_t size, off_t offset),
     (fd, buf, shorter("pread", fd, size), offset), -1,
     read_fails("pread", fd))
WRAP(ssize_t, recv, (int fd, void *buf, size_t size, int flags),
     (fd, buf, size, flags), -1, read_fails("recv", fd))
WRAP(ssize_t, readv, (int fd, const struct iovec *iov, int n), (fd, iov, n),
     -1, read_fails("readv", fd))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),
     (fd, msg, flags), -1, read_fails("recvmsg", fd))

WRAP(ssize_t, write, (int fd, const void *buf, size_t size),
     (fd, buf, shorter("write", fd, size)), -1, write_fails("write", fd))
WRAP(ssize_t, pwrite64, (int fd, const void *buf, size_t size, off_t offset),
     (fd, buf, shorter("pwrite", fd, size), offset), -1,
     write_fails("pwrite", fd))
WRAP(ssize_t, send, (int fd, const void *buf, size_t size, int flags),
     (fd, buf, size, flags), -1, write_fails("send", fd))
WRAP(ssize_t, writev, (int fd, const struct iovec *iov, int n), (fd, iov, n),
     -1, write_fails("writev", fd))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
     (fd, msg, flags), -1, write_fails("sendmsg", fd))
WRAP(ssize_t, sendfile64, (int out, int in, off_t *offset, size_t size),
     (out, in, offset, size), -1, write_fails("sendfile", out))
WRAP(ssize_t, pwritev64,
     (int fd, const struct iovec *iov, int n, off_t offset),
     (fd, iov, n, offset), -1, write_fails("pwritev", fd))


/* files and their names */

#define OF(kind, name, error)  (fails(kind, name) ? error : 0)

#define WRAP_OPEN(name, params, args)                                         \
                                                                              \
    int __real_##name params;                                                 \
    int __wrap_##name params;                                                 \
                                                                              \
    int                                                                       \
    __wrap_##name params                                                      \
    {                                                                         \
        int      mode;                                                        \
        va_list  list;                                                        \
                                                                              \
        if (fails("open", "open")) {                                          \
            errno = EMFILE;                                                   \
            return -1;                                                        \
        }                                                                     \
                                                                              \
        va_start(list, flags);                                                \
        mode = va_arg(list, int);                                             \
        va_end(list);                                                         \
                                                                              \
        return __real_##name args;                                            \
    }

WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
WRAP_OPEN(openat64, (int dir, const char *path, int flags, ...),
          (dir, path, flags, mode))
WRAP(DIR *, opendir, (const char *path), (path), NULL,
     OF("open", "opendir", EMFILE))

WRAP(int, fsync, (int fd), (fd), -1, OF("sync", "fsync", EIO))
WRAP(int, fdatasync, (int fd), (fd), -1, OF("sync", "fdatasync", EIO))

WRAP(int, link, (const char *from, const char *to), (from, to), -1,
     OF("link", "link", ENOSPC))
WRAP(int, linkat,
     (int fd, const char *from, int dir, const char *to, int flags),
     (fd, from, dir, to, flags), -1, OF("link", "linkat", ENOSPC))
WRAP(int, rename, (const char *from, const char *to), (from, to), -1,
     OF("link", "rename", ENOSPC))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), -1,
     OF("link", "mkdir", ENOSPC))
WRAP(int, unlink, (const char *path), (path), -1, OF("link", "unlink", EIO))
WRAP(int, unlinkat, (int dir, const char *path, int flags),
     (dir, path, flags), -1, OF("link", "unlinkat", EIO))
WRAP(int, ftruncate64, (int fd, off_t size), (fd, size), -1,
     OF("link", "ftruncate", EIO))
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), -1,
     OF("link", "chmod", EPERM))
WRAP(int, chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid),
     -1, OF("link", "chown", EPERM))

WRAP(int, fstat64, (int fd, struct stat *st), (fd, st), -1,
     OF("stat", "fstat", EIO))
WRAP(int, stat64, (const char *path, struct stat *st), (path, st), -1,
     OF("stat", "stat", EIO))
WRAP(int, lstat64, (const char *path, struct stat *st), (path, st), -1,
     OF("stat", "lstat", EIO))
WRAP(int, fstatat64,
     (int dir, const char *path, struct stat *st, int flags),
     (dir, path, st, flags), -1, OF("stat", "fstatat", EIO))

WRAP(int, faccessat, (int dir, const char *path, int mode, int flags),
     (dir, path, mode, flags), -1, OF("stat", "faccessat", EIO))


/*
 * A file is closed whatever close() says: the descriptor is gone.  Sanitizers,
 * which look up names of functions in the program's file, call it too.
 */

int __real_close(int fd);
int __wrap_close(int fd);

int
__wrap_close(int fd)
{
    int      error;
    Dl_info  info;

    static const error_of_t  on_close = { EIO, ECONNRESET };

    error = 0;

    if (order->kind[0] != '\0'
        && (dladdr(__builtin_return_address(0), &info) == 0
            || info.dli_sname == NULL
            || strncmp(info.dli_sname, "ngx_", 4) == 0))
    {
        error = fails_of("close", "close", fd, &on_close);
    }

    if (error) {
        (void) __real_close(fd);
        errno = error;
        return -1;
    }

    return __real_close(fd);
}


/* locks, and what else is asked of a descriptor */

static int
fcntl_fails(int cmd)
{
    switch (cmd) {

    case F_SETLK:
        return fails("lock", "F_SETLK") ? ENOLCK
               : fails("locked", "F_SETLK") ? EAGAIN : 0;

    default:
        return OF("control", "fcntl", EPERM);
    }
}


#define WRAP_FCNTL(name)                                                      \
                                                                              \
    int __real_##name(int fd, int cmd, ...);                                  \
    int __wrap_##name(int fd, int cmd, ...);                                  \
                                                                              \
    int                                                                       \
    __wrap_##name(int fd, int cmd, ...)                                       \
    {                                                                         \
        int      error;                                                       \
        void    *arg;                                                         \
        va_list  list;                                                        \
                                                                              \
        error = fcntl_fails(cmd);                                             \
                                                                              \
        if (error) {                                                          \
            errno = error;                                                    \
            return -1;                                                        \
        }                                                                     \
                                                                              \
        va_start(list, cmd);                                                  \
        arg = va_arg(list, void *);                                           \
        va_end(list);                                                         \
                                                                              \
        return __real_##name(fd, cmd, arg);                                   \
    }

WRAP_FCNTL(fcntl64)

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
    void    *arg;
    va_list  list;

    if (fails("control", "ioctl")) {
        errno = ENOMEM;
        return -1;
    }

    va_start(list, request);
    arg = va_arg(list, void *);
    va_end(list);

    return __real_ioctl(fd, request, arg);
}


WRAP(int, setsockopt,
     (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len), -1, OF("control", "setsockopt", ENOBUFS))
WRAP(int, getsockopt,
     (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len), -1, OF("control", "getsockopt", ENOBUFS))
WRAP(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *event),
     (ep, op, fd, event), -1, OF("control", "epoll_ctl", ENOMEM))


/* connections */

WRAP(int, socket, (int domain, int type, int protocol),
     (domain, type, protocol), -1, OF("connect", "socket", EMFILE))
WRAP(int, connect, (int fd, const struct sockaddr *addr, socklen_t len),
     (fd, addr, len), -1, OF("connect", "connect", ECONNREFUSED))
WRAP(int, accept4,
     (int fd, struct sockaddr *addr, socklen_t *len, int flags),
     (fd, addr, len, flags), -1, OF("accept", "accept4", ECONNABORTED))


/* what a process needs to begin with */

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t
__wrap_fork(void)
{
    pid_t  pid;

    if (fails("process", "fork")) {
        errno = EAGAIN;
        return -1;
    }

    pid = __real_fork();

    if (pid == 0) {
        born = order->serial;
    }

    return pid;
}


WRAP(int, socketpair, (int domain, int type, int protocol, int pair[2]),
     (domain, type, protocol, pair), -1, OF("process", "socketpair", EMFILE))
WRAP(int, epoll_create, (int size), (size), -1,
     OF("process", "epoll_create", EMFILE))
WRAP(int, eventfd, (unsigned n, int flags), (n, flags), -1,
     OF("process", "eventfd", EMFILE))
WRAP(void *, mmap64,
     (void *addr, size_t len, int prot, int flags, int fd, off_t offset),
     (addr, len, prot, flags, fd, offset), MAP_FAILED,
     OF("process", "mmap", ENOMEM))
WRAP(int, pthread_create,
     (pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
      void *arg),
     (thread, attr, run, arg), EAGAIN,
     OF("process", "pthread_create", EAGAIN))


/* numbers that nobody can guess */

WRAP(int, RAND_bytes, (unsigned char *buf, int n), (buf, n), 0,
     OF("random", "RAND_bytes", EIO))
