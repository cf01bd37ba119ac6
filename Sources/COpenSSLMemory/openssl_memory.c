#include "openssl_memory.h"

#include "slabs.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static_assert(openssl_memory_largest_small == largest_small && openssl_memory_largest_other == largest_other);

// Sizes in bytes. OpenSSL asks for 16 KiB and a few hundred bytes, with another few hundred for each direction: one size serves
// both.
enum { least_record = 16385, record = 17408, most_record = record + 64 };

enum {
  most_small = openssl_memory_most_small,
  most_others = openssl_memory_most_others,
  most_records = openssl_memory_most_records
};

// Blocks stand in here and not in a list through the blocks, so that nothing that is written to freed memory leads anywhere. To say
// that no library is loaded with this later spares each use a call.
static _Thread_local struct {
  enum { unregistered, registered, ended } state;
  uint8_t most;  // of a small size; 0 until the thread is registered, and when it has ended
  uint8_t record_count;
  uint8_t counts[slab_kinds + 1];
  void *small[small_kinds + 1][most_small];
  void *others[slab_kinds - small_kinds][most_others];
  void *records[most_records];
} kept __attribute__((tls_model("initial-exec")));

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static bool has_key;

static bool is_small(size_t count) { return count - 1 < largest_small; }

static bool is_record(size_t count) { return count >= least_record && count <= record; }

static void **shelf(size_t kind) { return kind <= small_kinds ? kept.small[kind] : kept.others[kind - small_kinds - 1]; }

static size_t most(size_t kind) { return kind <= small_kinds ? most_small : most_others; }

// MARK: A thread's life

// The thread ends: what it has is given back, and what its other destructors still give back is not kept.
static void release_all(void *ignored) {
  (void)ignored;
  kept.state = ended;
  kept.most = 0;
  for (size_t kind = 1; kind <= slab_kinds; kind++) {
    slabs_give(shelf(kind), kept.counts[kind]);
    kept.counts[kind] = 0;
  }
  while (kept.record_count > 0) free(kept.records[--kept.record_count]);
}

static void make_key(void) { has_key = pthread_key_create(&thread_end, release_all) == 0; }

// Whether the thread may keep blocks. Asks to be told of its end at first; a thread that cannot be keeps nothing.
static bool may_keep(void) {
  if (kept.state != unregistered) return kept.state == registered;
  pthread_once(&once, make_key);
  kept.state = has_key && pthread_setspecific(thread_end, &kept) == 0 ? registered : ended;
  if (kept.state == registered) kept.most = most_small;
  return kept.state == registered;
}

// MARK: Blocks of slabs

// Half of what the thread may have comes and goes at once. Apart, as are the others that are not inlined, for what happens nearly
// always to be short.
__attribute__((noinline)) static void *take_from_slabs(size_t kind) {
  void **blocks = shelf(kind);
  size_t count = slabs_take(kind, blocks, may_keep() ? most(kind) / 2 : 1);
  if (count == 0) return malloc(slab_block_bytes(kind));
  kept.counts[kind] = (uint8_t)(count - 1);
  return blocks[count - 1];
}

static void *take_kind(size_t kind) {
  if (kept.counts[kind] == 0) return take_from_slabs(kind);
  return shelf(kind)[--kept.counts[kind]];
}

__attribute__((noinline)) static void give_slowly(void *block, size_t kind) {
  if (!may_keep()) return slabs_give(&block, 1);
  void **blocks = shelf(kind);
  if (kept.counts[kind] == most(kind)) {
    size_t half = most(kind) / 2;
    slabs_give(blocks, half);
    kept.counts[kind] -= half;
    memmove(blocks, blocks + half, half * sizeof *blocks);
  }
  blocks[kept.counts[kind]++] = block;
}

static void give_small(void *block, size_t kind) {
  if (kept.counts[kind] >= kept.most) return give_slowly(block, kind);
  kept.small[kind][kept.counts[kind]++] = block;
}

// MARK: Others

__attribute__((noinline)) static void *take_large(size_t count) {
  if (count == 0) return NULL;
  if (count <= largest_other) return take_kind(slab_kind_for(count));
  if (!is_record(count)) return malloc(count);
  return kept.record_count > 0 ? kept.records[--kept.record_count] : malloc(record);
}

// Whether malloc or realloc gave a block, and what for, makes no difference: what counts is its room.
static bool keep_record(void *block) {
  size_t room = malloc_usable_size(block);
  if (room < record || room >= most_record || kept.record_count == most_records || !may_keep()) return false;
  kept.records[kept.record_count++] = block;
  return true;
}

__attribute__((noinline)) static void give_large(void *block, size_t kind) {
  if (kind > 0) give_slowly(block, kind);
  else if (!keep_record(block)) free(block);
}

static void *move(void *block, size_t room, size_t count) {
  void *other = openssl_memory_take(count, NULL, 0);
  if (other == NULL) return NULL;
  memcpy(other, block, room < count ? room : count);
  openssl_memory_give(block, NULL, 0);
  return other;
}

// MARK: What OpenSSL calls

void *openssl_memory_take(size_t count, const char *file, int line) {
  (void)file, (void)line;
  return is_small(count) ? take_kind(slab_kind_for(count)) : take_large(count);
}

void *openssl_memory_resize(void *block, size_t count, const char *file, int line) {
  if (block == NULL) return openssl_memory_take(count, file, line);
  if (count == 0) {
    openssl_memory_give(block, file, line);
    return NULL;
  }
  size_t kind = slab_kind_of(block);
  if (kind == 0) return realloc(block, count);
  if (count <= largest_other && slab_kind_for(count) == kind) return block;
  return move(block, slab_block_bytes(kind), count);
}

void openssl_memory_give(void *block, const char *file, int line) {
  (void)file, (void)line;
  if (block == NULL) return;  // as a third of all calls has it
  size_t kind = slab_kind_of(block);
  if (kind - 1 < small_kinds) give_small(block, kind);
  else give_large(block, kind);
}

// MARK: For those who look after memory

void openssl_memory_trim(void) { slabs_trim(); }

size_t openssl_memory_kept(size_t count) {
  if (count <= largest_other) return kept.counts[slab_kind_for(count)];
  return is_record(count) ? kept.record_count : 0;
}

size_t openssl_memory_slabs(void) { return slabs_in_use(); }

void openssl_memory_install(void) {
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  CRYPTO_set_mem_functions(openssl_memory_take, openssl_memory_resize, openssl_memory_give);
#endif
}
