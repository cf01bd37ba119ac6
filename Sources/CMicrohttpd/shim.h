// libmicrohttpd's variadic calls, which Swift cannot import, and a peer's address without the sockaddr casts.
#pragma once

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

typedef void *_Nullable (*sluice_mhd_started)(void *_Nullable context, const char *_Nullable target,
                                              struct MHD_Connection *_Nullable connection);

struct sluice_mhd_limits {
  unsigned int connections;
  unsigned int connections_per_ip;
  unsigned int idle_seconds;
  size_t connection_bytes;
};

// Starts a daemon with a thread of its own on a socket that listens; the daemon closes the socket when it stops. Its connections may
// be suspended.
static inline struct MHD_Daemon *_Nullable sluice_mhd_start(int listening, struct sluice_mhd_limits limits,
                                                             MHD_AccessHandlerCallback _Nonnull handler,
                                                             sluice_mhd_started _Nonnull started,
                                                             MHD_RequestCompletedCallback _Nonnull completed,
                                                             MHD_NotifyConnectionCallback _Nonnull connected,
                                                             void *_Nonnull context) {
  return MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handler, context, MHD_OPTION_LISTEN_SOCKET, listening,
      MHD_OPTION_CONNECTION_LIMIT, limits.connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits.connections_per_ip,
      MHD_OPTION_CONNECTION_TIMEOUT, limits.idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.connection_bytes,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, started, context, MHD_OPTION_NOTIFY_COMPLETED, completed,
      context, MHD_OPTION_NOTIFY_CONNECTION, connected, context, MHD_OPTION_END);
}

// The connection's socket, or -1.
static inline int sluice_mhd_socket(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

// Whether the peer has ended its side, or the whole connection. For a connection that is suspended: nobody else reads from it.
static inline _Bool sluice_mhd_is_abandoned(struct MHD_Connection *_Nonnull connection) {
  const short ended = POLLHUP | POLLERR | 0x2000;  // POLLRDHUP, which the header has for _GNU_SOURCE alone
  struct pollfd state = {.fd = sluice_mhd_socket(connection), .events = ended};
  return poll(&state, 1, 0) > 0 && (state.revents & ended) != 0;
}

// How long the connection may carry nothing, though something is to be sent, before it is closed.
static inline void sluice_mhd_set_timeout(struct MHD_Connection *_Nonnull connection, unsigned int seconds) {
  MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

// What a content reader gives when nothing follows.
static const ssize_t sluice_mhd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;

// Ends a connection's socket from any thread; its daemon finds the end, and closes it.
static inline void sluice_mhd_hang_up(int descriptor) { shutdown(descriptor, SHUT_RDWR); }

// The peer's address as two halves of an IPv6 address in host order, IPv4 mapped; false if it has none.
static inline _Bool sluice_mhd_peer(struct MHD_Connection *_Nonnull connection, uint64_t *_Nonnull high, uint64_t *_Nonnull low,
                                     uint16_t *_Nonnull port) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (!info || !info->client_addr) return 0;
  if (info->client_addr->sa_family == AF_INET) {
    struct sockaddr_in address;
    memcpy(&address, info->client_addr, sizeof address);
    *high = 0;
    *low = 0xffff00000000ull | ntohl(address.sin_addr.s_addr);
    *port = ntohs(address.sin_port);
    return 1;
  }
  if (info->client_addr->sa_family == AF_INET6) {
    struct sockaddr_in6 address;
    memcpy(&address, info->client_addr, sizeof address);
    *high = 0;
    *low = 0;
    for (int i = 0; i < 8; i++) {
      *high = *high << 8 | address.sin6_addr.s6_addr[i];
      *low = *low << 8 | address.sin6_addr.s6_addr[i + 8];
    }
    *port = ntohs(address.sin6_port);
    return 1;
  }
  return 0;
}
