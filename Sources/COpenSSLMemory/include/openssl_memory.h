// Memory for OpenSSL that a thread uses again.
//
// A session that holds no buffer while it is idle (SSL_MODE_RELEASE_BUFFERS) takes one of about 16 KiB for each record that it
// reads or writes, and gives it back at once. That is too large for what malloc remembers for a thread: each time the block is
// merged with its neighbours, and at times the whole heap is consolidated. A handshake takes and frees 700 small blocks, more
// of a size than the seven that malloc remembers, and an idle session keeps 33. Here a thread remembers some of both; what stands
// behind it are slabs for blocks of up to 8 KiB (`slabs.h`), and malloc for all others.
//
// A thread holds at most 4.2 MiB so, and gives it back at its end.
#ifndef SLUICE_OPENSSL_MEMORY_H
#define SLUICE_OPENSSL_MEMORY_H

#include <stddef.h>

// Makes OpenSSL use this memory from now on. To be called before OpenSSL's first allocation, else it goes on with malloc; as it
// does under a sanitizer, which watches malloc.
void openssl_memory_install(void);

// What OpenSSL is given: like malloc, realloc and free, but that nothing is allocated for 0 bytes. File and line are ignored.
void *openssl_memory_take(size_t count, const char *file, int line);
void *openssl_memory_resize(void *block, size_t count, const char *file, int line);
void openssl_memory_give(void *block, const char *file, int line);

// Gives the kernel what no block in use, and none that a thread remembers, lies on.
void openssl_memory_trim(void);

// How many blocks the calling thread has for `count` bytes.
size_t openssl_memory_kept(size_t count);

// In how many slabs of 64 KiB blocks are in use, or remembered.
size_t openssl_memory_slabs(void);

// How many blocks a thread has at most: of one small size, of another, and of record buffers.
enum { openssl_memory_most_small = 32, openssl_memory_most_others = 4, openssl_memory_most_records = 4 };

// The largest small size, and the largest of the others, in bytes.
enum { openssl_memory_largest_small = 1024, openssl_memory_largest_other = 8192 };

#endif
