/* Preloaded into a program: writes down every change that it makes to files under POWER_ROOT, in the order in which
 * they happen, and every sending to the port POWER_PORT. Before bytes leave for that port it says so on the pipe
 * POWER_ASK and waits for a word on POWER_GO, while nothing else in the program can change a file.
 *
 * One line of the record, in the machine's own byte order:
 * kind (1 byte), inode (8), number (8), length of the text (4), length of the content (4), text, content.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_length;
static int record = -1, ask = -1, go = -1, port = -1;

static void fail(const char *why) {
    dprintf(2, "shim: %s (errno %d)\n", why, errno);
    _exit(99);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWER_RECORD");
    if (!path) return;
    root = getenv("POWER_ROOT");
    root_length = strlen(root);
    ask = atoi(getenv("POWER_ASK"));
    go = atoi(getenv("POWER_GO"));
    port = atoi(getenv("POWER_PORT"));
    record = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record < 0) fail("the record cannot be opened");
}

static void put(const void *bytes, size_t length) {
    const char *next = bytes;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, record, next, length);
        if (done < 0) fail("the record cannot be written");
        next += done;
        length -= (size_t)done;
    }
}

static void note(char kind, uint64_t inode, uint64_t number, const char *text, const void *content, size_t length) {
    unsigned char head[25];
    uint32_t text_length = (uint32_t)strlen(text), content_length = (uint32_t)length;
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &number, 8);
    memcpy(head + 17, &text_length, 4);
    memcpy(head + 21, &content_length, 4);
    put(head, sizeof head);
    put(text, text_length);
    put(content, length);
}

static int is_ours(const char *path) {
    return record >= 0 && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static int where(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

static int resolve(int folder, const char *given, char *path) {
    char base[PATH_MAX];
    if (record < 0) return 0;
    if (given[0] == '/') {
        snprintf(path, PATH_MAX, "%s", given);
        return is_ours(path);
    }
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return 0;
    } else {
        where(folder, base);
    }
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", base, given) >= PATH_MAX) return 0;
    return is_ours(path);
}

static uint64_t inode_of(int fd) {
    struct stat found;
    if (fstat(fd, &found) < 0) fail("a file has no inode");
    return found.st_ino;
}

static int open_noted(int folder, const char *given, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!resolve(folder, given, path)) return (int)syscall(SYS_openat, folder, given, flags, mode);
    pthread_mutex_lock(&turn);
    int is_new = access(path, F_OK) != 0;
    int fd = (int)syscall(SYS_openat, folder, given, flags, mode);
    int why = errno;
    if (fd >= 0) {
        note(is_new ? 'C' : 'O', inode_of(fd), 0, path, "", 0);
        if (!is_new && (flags & O_TRUNC)) note('T', inode_of(fd), 0, path, "", 0);
    }
    pthread_mutex_unlock(&turn);
    errno = why;
    return fd;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return open_noted(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_noted(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return open_noted(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return open_noted(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_noted(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_noted(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return open_noted(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return open_noted(folder, path, flags, 0); }

static ssize_t write_noted(int fd, const void *content, size_t length, off_t offset) {
    char path[PATH_MAX];
    if (!where(fd, path)) {
        if (offset < 0) return syscall(SYS_write, fd, content, length);
        return syscall(SYS_pwrite64, fd, content, length, offset);
    }
    pthread_mutex_lock(&turn);
    off_t start = offset;
    if (offset < 0) start = (fcntl(fd, F_GETFL) & O_APPEND) ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
    ssize_t done =
        offset < 0 ? syscall(SYS_write, fd, content, length) : syscall(SYS_pwrite64, fd, content, length, offset);
    int why = errno;
    if (done > 0) note('W', inode_of(fd), (uint64_t)start, path, content, (size_t)done);
    pthread_mutex_unlock(&turn);
    errno = why;
    return done;
}

ssize_t write(int fd, const void *content, size_t length) { return write_noted(fd, content, length, -1); }
ssize_t pwrite(int fd, const void *content, size_t length, off_t at) { return write_noted(fd, content, length, at); }
ssize_t pwrite64(int fd, const void *content, size_t length, off64_t at) { return write_noted(fd, content, length, at); }

ssize_t writev(int fd, const struct iovec *pieces, int count) {
    char path[PATH_MAX];
    if (!where(fd, path)) return syscall(SYS_writev, fd, pieces, count);
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = write_noted(fd, pieces[i].iov_base, pieces[i].iov_len, -1);
        if (done < 0) return all ? all : done;
        all += done;
        if ((size_t)done < pieces[i].iov_len) break;
    }
    return all;
}

static int truncate_noted(int fd, off_t length) {
    char path[PATH_MAX];
    if (!where(fd, path)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    int why = errno;
    if (done == 0) note('T', inode_of(fd), (uint64_t)length, path, "", 0);
    pthread_mutex_unlock(&turn);
    errno = why;
    return done;
}

int ftruncate(int fd, off_t length) { return truncate_noted(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_noted(fd, length); }

static int sync_noted(int fd, long call) {
    char path[PATH_MAX];
    if (!where(fd, path)) return (int)syscall(call, fd);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(call, fd);
    int why = errno;
    if (done == 0) note('S', inode_of(fd), 0, path, "", 0);
    pthread_mutex_unlock(&turn);
    errno = why;
    return done;
}

int fsync(int fd) { return sync_noted(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_noted(fd, SYS_fdatasync); }

static int rename_noted(int from, const char *old, int to, const char *new) {
    char source[PATH_MAX], target[PATH_MAX];
    int ours = resolve(to, new, target) | resolve(from, old, source);
    if (!ours) return (int)syscall(SYS_renameat2, from, old, to, new, 0);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_renameat2, from, old, to, new, 0);
    int why = errno;
    if (done == 0) note('R', 0, 0, source, target, strlen(target));
    pthread_mutex_unlock(&turn);
    errno = why;
    return done;
}

int rename(const char *old, const char *new) { return rename_noted(AT_FDCWD, old, AT_FDCWD, new); }
int renameat(int from, const char *old, int to, const char *new) { return rename_noted(from, old, to, new); }

static int unlink_noted(int folder, const char *given, int flags) {
    char path[PATH_MAX];
    if (!resolve(folder, given, path)) return (int)syscall(SYS_unlinkat, folder, given, flags);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_unlinkat, folder, given, flags);
    int why = errno;
    if (done == 0) note('U', 0, 0, path, "", 0);
    pthread_mutex_unlock(&turn);
    errno = why;
    return done;
}

int unlink(const char *path) { return unlink_noted(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return unlink_noted(folder, path, flags); }
int rmdir(const char *path) { return unlink_noted(AT_FDCWD, path, AT_REMOVEDIR); }

static int mkdir_noted(int folder, const char *given, mode_t mode) {
    char path[PATH_MAX];
    if (!resolve(folder, given, path)) return (int)syscall(SYS_mkdirat, folder, given, mode);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_mkdirat, folder, given, mode);
    int why = errno;
    struct stat found;
    if (done == 0 && stat(path, &found) == 0) note('D', found.st_ino, 0, path, "", 0);
    pthread_mutex_unlock(&turn);
    errno = why;
    return done;
}

int mkdir(const char *path, mode_t mode) { return mkdir_noted(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return mkdir_noted(folder, path, mode); }

static int goes_out(int fd) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (record < 0 || getpeername(fd, (struct sockaddr *)&peer, &length) < 0) return 0;
    return peer.sin_family == AF_INET && ntohs(peer.sin_port) == port;
}

static void stop_at_the_door(int fd, size_t length) {
    char word;
    if (!goes_out(fd)) return;
    pthread_mutex_lock(&turn);
    if (syscall(SYS_write, ask, "?", 1) != 1 || syscall(SYS_read, go, &word, 1) != 1) fail("nobody answers");
    note('N', 0, length, "", "", 0);
    pthread_mutex_unlock(&turn);
}

ssize_t send(int fd, const void *content, size_t length, int flags) {
    REAL(ssize_t, "send", int, const void *, size_t, int);
    stop_at_the_door(fd, length);
    return real(fd, content, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL(ssize_t, "sendmsg", int, const struct msghdr *, int);
    stop_at_the_door(fd, 0);
    return real(fd, message, flags);
}
