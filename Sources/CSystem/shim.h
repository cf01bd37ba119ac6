// What Swift's Glibc module lacks or cannot import: epoll, eventfd, signalfd, timerfd, socket addresses, file birth times.
//
// Every function returns what the system call returns: -1 with errno set on failure.
// Do not define _GNU_SOURCE here: debug and sanitizer builds would then disagree about system types.
// The few GNU functions that are needed are declared by hand.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

extern int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);
extern int pthread_setname_np(pthread_t, const char *);
extern const char *strerrordesc_np(int);
extern int statx(int, const char *__restrict, int, unsigned int, struct statx *__restrict);

// MARK: Errors

/// A description that lives as long as the process, or NULL for a number that no error has.
static inline const char *csystem_error_text(int error) { return strerrordesc_np(error); }

// MARK: epoll

static inline int csystem_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int csystem_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll, operation, descriptor, &event);
}

// MARK: Bytes

// The library's recv and send are points where a thread may be cancelled: in a program of several threads each call allows and forbids
// that, for 60 user instructions. No thread of ours is ever cancelled.

static inline ssize_t csystem_receive(int descriptor, void *buffer, size_t count, int flags) {
  return syscall(SYS_recvfrom, descriptor, buffer, count, flags, NULL, NULL);
}

static inline ssize_t csystem_send(int descriptor, const void *buffer, size_t count, int flags) {
  return syscall(SYS_sendto, descriptor, buffer, count, flags, NULL, 0);
}

// MARK: Internet addresses

/// An address in its 128-bit form, host order; IPv4 is mapped (::ffff:a.b.c.d).
struct csystem_address {
  uint64_t high;
  uint64_t low;
  uint16_t port;
  bool is_internet;
};

static inline bool csystem_is_ipv4(const struct csystem_address *address) {
  return address->high == 0 && address->low >> 32 == 0xffff;
}

static inline socklen_t csystem_encode(const struct csystem_address *address, struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  if (csystem_is_ipv4(address)) {
    struct sockaddr_in *internet = (struct sockaddr_in *)storage;
    internet->sin_family = AF_INET;
    internet->sin_port = htons(address->port);
    internet->sin_addr.s_addr = htonl((uint32_t)address->low);
    return sizeof *internet;
  }
  struct sockaddr_in6 *internet = (struct sockaddr_in6 *)storage;
  internet->sin6_family = AF_INET6;
  internet->sin6_port = htons(address->port);
  for (int index = 0; index < 8; index++) {
    internet->sin6_addr.s6_addr[index] = (uint8_t)(address->high >> (56 - 8 * index));
    internet->sin6_addr.s6_addr[8 + index] = (uint8_t)(address->low >> (56 - 8 * index));
  }
  return sizeof *internet;
}

static inline struct csystem_address csystem_decode(const struct sockaddr_storage *storage) {
  struct csystem_address address = {0};
  if (storage->ss_family == AF_INET) {
    const struct sockaddr_in *internet = (const struct sockaddr_in *)storage;
    address.low = 0xffff00000000 | ntohl(internet->sin_addr.s_addr);
    address.port = ntohs(internet->sin_port);
    address.is_internet = true;
  } else if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *internet = (const struct sockaddr_in6 *)storage;
    for (int index = 0; index < 8; index++) {
      address.high = address.high << 8 | internet->sin6_addr.s6_addr[index];
      address.low = address.low << 8 | internet->sin6_addr.s6_addr[8 + index];
    }
    address.port = ntohs(internet->sin6_port);
    address.is_internet = true;
  }
  return address;
}

/// A nonblocking TCP socket of the address's family.
static inline int csystem_tcp_socket(struct csystem_address address) {
  return socket(csystem_is_ipv4(&address) ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int csystem_bind(int descriptor, struct csystem_address address) {
  struct sockaddr_storage storage;
  socklen_t length = csystem_encode(&address, &storage);
  return bind(descriptor, (const struct sockaddr *)&storage, length);
}

static inline int csystem_connect(int descriptor, struct csystem_address address) {
  struct sockaddr_storage storage;
  socklen_t length = csystem_encode(&address, &storage);
  return connect(descriptor, (const struct sockaddr *)&storage, length);
}

/// A nonblocking socket for the next connection; `peer` says where it comes from.
static inline int csystem_accept(int listener, struct csystem_address *peer) {
  struct sockaddr_storage storage;
  storage.ss_family = AF_UNSPEC;
  socklen_t length = sizeof storage;
  int descriptor = accept4(listener, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) *peer = csystem_decode(&storage);
  return descriptor;
}

static inline int csystem_local_address(int descriptor, struct csystem_address *address) {
  struct sockaddr_storage storage;
  storage.ss_family = AF_UNSPEC;
  socklen_t length = sizeof storage;
  int result = getsockname(descriptor, (struct sockaddr *)&storage, &length);
  if (result == 0) *address = csystem_decode(&storage);
  return result;
}

// MARK: Unix sockets

static inline int csystem_unix_socket(void) {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

struct csystem_pair {
  int first;
  int second;
};

/// Two nonblocking sockets that are connected to each other; -1 on failure.
static inline struct csystem_pair csystem_unix_socket_pair(void) {
  int pair[2] = {-1, -1};
  (void)socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
  return (struct csystem_pair){pair[0], pair[1]};
}

/// Fails with ENAMETOOLONG where the kernel would cut the path, and with ENOENT for an empty one.
static inline int csystem_encode_path(const char *path, struct sockaddr_un *address) {
  size_t length = strlen(path);
  memset(address, 0, sizeof *address);
  if (length == 0 || length >= sizeof address->sun_path) {
    errno = length == 0 ? ENOENT : ENAMETOOLONG;
    return -1;
  }
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length);
  return 0;
}

static inline int csystem_bind_unix(int descriptor, const char *path) {
  struct sockaddr_un address;
  if (csystem_encode_path(path, &address) != 0) return -1;
  return bind(descriptor, (const struct sockaddr *)&address, sizeof address);
}

/// Writes the path that a Unix socket is bound to, at most `sizeof sun_path` bytes and a zero; none for one without a path.
static inline int csystem_local_path(int descriptor, char path[static 109]) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  socklen_t length = sizeof address;
  if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return -1;
  memcpy(path, address.sun_path, sizeof address.sun_path);
  path[sizeof address.sun_path] = 0;
  return 0;
}

static inline int csystem_connect_unix(int descriptor, const char *path) {
  struct sockaddr_un address;
  if (csystem_encode_path(path, &address) != 0) return -1;
  return connect(descriptor, (const struct sockaddr *)&address, sizeof address);
}

static inline int csystem_datagram_socket(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

/// Sends one datagram to a Unix socket: at a path, or at an abstract name, which is written with @ for its zero byte.
static inline ssize_t csystem_send_datagram(int descriptor, const char *name, const char *text, size_t length) {
  struct sockaddr_un address;
  if (csystem_encode_path(name, &address) != 0) return -1;
  if (*name == '@') address.sun_path[0] = 0;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
  return sendto(descriptor, text, length, MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
}

/// The layout of the kernel's struct ucred.
struct csystem_credentials {
  int32_t process;
  uint32_t user;
  uint32_t group;
};

static inline int csystem_peer_credentials(int descriptor, struct csystem_credentials *credentials) {
  socklen_t length = sizeof *credentials;
  return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, &length);
}

// MARK: Socket options

static inline int csystem_set_option(int descriptor, int level, int option, int value) {
  return setsockopt(descriptor, level, option, &value, sizeof value);
}

/// The value of an option that is a number, such as SO_TYPE; -1 where the descriptor is no socket.
static inline int csystem_option(int descriptor, int level, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(descriptor, level, option, &value, &length) == 0 ? value : -1;
}

/// Makes close() send a reset at once and drop what was not sent.
static inline int csystem_set_reset_on_close(int descriptor) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/// The pending error of a socket (SO_ERROR), which reading clears.
static inline int csystem_pending_error(int descriptor) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

/// Whether the connection is over; with `ended`, also whether the peer will send no more (0x2000 is POLLRDHUP).
static inline bool csystem_is_hung_up(int descriptor, bool ended) {
  struct pollfd state = {.fd = descriptor, .events = ended ? 0x2000 : 0};
  return poll(&state, 1, 0) > 0;
}

// MARK: Descriptors

static inline int csystem_set_nonblocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) return -1;
  return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

static inline int csystem_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

struct csystem_limit {
  uint64_t soft;
  uint64_t hard;
};

static inline int csystem_descriptor_limit(struct csystem_limit *limit) {
  struct rlimit current;
  if (getrlimit(RLIMIT_NOFILE, &current) != 0) return -1;
  limit->soft = current.rlim_cur;
  limit->hard = current.rlim_max;
  return 0;
}

static inline int csystem_set_descriptor_limit(struct csystem_limit limit) {
  struct rlimit wanted = {.rlim_cur = limit.soft, .rlim_max = limit.hard};
  return setrlimit(RLIMIT_NOFILE, &wanted);
}

static inline int csystem_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

// MARK: Timers

static inline int csystem_timer_descriptor(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC); }

/// Lets the timer fire once, at a moment of CLOCK_MONOTONIC that is not 0, or at once when that is past.
static inline int csystem_set_timer(int timer, uint64_t nanoseconds) {
  struct itimerspec moment = {.it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &moment, NULL);
}

// MARK: Signals

/// Blocks the signals of `mask` (bit n-1 is signal n) in this thread and opens a descriptor that reports them.
static inline int csystem_signal_descriptor(uint64_t mask) {
  sigset_t set;
  sigemptyset(&set);
  for (int number = 1; number <= 64; number++) {
    if (mask >> (number - 1) & 1) sigaddset(&set, number);
  }
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/// The next reported signal, 0 when none is pending.
static inline int csystem_next_signal(int descriptor) {
  struct signalfd_siginfo info;
  ssize_t count = read(descriptor, &info, sizeof info);
  return count == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static inline void csystem_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

// MARK: Files

struct csystem_file {
  uint64_t device;
  uint64_t inode;
  int64_t birth_nanoseconds;
  int64_t modified_nanoseconds;
  uint64_t size;
  bool is_regular;
  bool is_directory;
  bool is_socket;
  bool is_readable_by_all;
};

/// Facts about an open descriptor where `path` is empty, else about what `path` names.
static inline int csystem_file_status(int descriptor, const char *path, bool follow_links, struct csystem_file *file) {
  struct statx status;
  int flags = (follow_links ? 0 : AT_SYMLINK_NOFOLLOW) | (*path == 0 ? 0x1000 /* AT_EMPTY_PATH */ : 0);
  if (statx(descriptor, path, flags, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) return -1;
  file->device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
  file->inode = status.stx_ino;
  file->birth_nanoseconds =
    status.stx_mask & STATX_BTIME ? status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec : 0;
  file->modified_nanoseconds = status.stx_mtime.tv_sec * 1000000000 + status.stx_mtime.tv_nsec;
  file->size = status.stx_size;
  file->is_regular = S_ISREG(status.stx_mode);
  file->is_directory = S_ISDIR(status.stx_mode);
  file->is_socket = S_ISSOCK(status.stx_mode);
  file->is_readable_by_all = (status.stx_mode & S_IROTH) != 0;
  return 0;
}

/// How many processors this thread may run on; 0 if the kernel does not say.
static inline int csystem_available_cores(void) {
  unsigned long mask[128] = {0};
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
  int cores = 0;
  for (long index = 0; index < bytes / (long)sizeof *mask; index++) cores += __builtin_popcountl(mask[index]);
  return cores;
}

// MARK: Processes

extern char **environ;

/// The environment of this process: texts `NAME=value`, then a null.
static inline char **csystem_environment(void) { return environ; }

/// Takes a variable out of the environment, so that no child has it. Call it before other threads exist.
static inline void csystem_unset_variable(const char *name) { (void)unsetenv(name); }

/// Starts a program that gets SIGTERM when this thread ends. Call it before other threads exist. Returns -1 on failure.
static inline int csystem_spawn(const char *path, char *const *arguments) {
  int parent = getpid();
  int child = fork();
  if (child != 0) return child;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  execv(path, arguments);
  _exit(127);
}

/// Takes the status of a child that has ended; 0 if it still runs.
static inline int csystem_reap(int child) {
  int status;
  return waitpid(child, &status, WNOHANG);
}

// MARK: Terminals

struct csystem_size {
  uint16_t columns;
  uint16_t rows;
};

/// Zeros where the descriptor is no terminal, or one that does not know its size.
static inline struct csystem_size csystem_terminal_size(int descriptor) {
  struct winsize size = {0};
  (void)ioctl(descriptor, TIOCGWINSZ, &size);
  return (struct csystem_size){size.ws_col, size.ws_row};
}

/// Lets keys be read one by one, unseen and without waiting. Ctrl-C stays a signal; Ctrl-Z becomes a key.
static inline int csystem_read_keys(int descriptor, struct termios *before) {
  if (tcgetattr(descriptor, before) != 0) return -1;
  struct termios keys = *before;
  keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  keys.c_cc[VMIN] = 0;
  keys.c_cc[VTIME] = 0;
  keys.c_cc[VSUSP] = _POSIX_VDISABLE;
  return tcsetattr(descriptor, TCSADRAIN, &keys);
}

// MARK: Memory

/// Lets each heap keep so much free memory at its end.
static inline void csystem_keep_free_memory(int bytes) { mallopt(M_TRIM_THRESHOLD, bytes); }

/// Gives memory that was freed back to the kernel.
static inline void csystem_return_free_memory(void) { malloc_trim(0); }
