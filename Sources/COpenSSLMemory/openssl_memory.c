#include "openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

// Sizes in bytes. OpenSSL asks for 16 KiB and a few hundred bytes, with another few hundred for each direction: one size serves
// both. Small blocks have the room that malloc gives them anyway: 24 bytes, 40, and so on.
enum { least_room = 24, room_step = 16, most_small = 1032, least_record = 16385, record = 17408 };
enum { small_shelves = (most_small - least_room) / room_step + 1, record_shelf = small_shelves, shelf_count };

// Blocks of one size. They stand in here and not in a list through the blocks, so that nothing that is written to freed memory
// leads anywhere.
struct shelf {
  size_t count;
  void *blocks[openssl_memory_most_small];
};

static _Thread_local struct {
  struct shelf shelves[shelf_count];
  enum { unregistered, registered, ended } state;
} kept;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static bool has_key;

// The shelf whose blocks have room for `count` bytes; shelf_count where there is none.
static size_t shelf_for(size_t count) {
  if (count <= least_room) return 0;
  if (count <= most_small) return (count - least_room + room_step - 1) / room_step;
  return count >= least_record && count <= record ? record_shelf : shelf_count;
}

// The shelf of a block that has so much room. Whether malloc or realloc gave it, and what for, makes no difference.
static size_t shelf_of(size_t room) {
  if (room >= least_room && room < most_small + room_step) return (room - least_room) / room_step;
  return room >= record && room < record + 4 * room_step ? record_shelf : shelf_count;
}

// The thread ends: what it has is freed, and what its other destructors still give back is not kept.
static void release_all(void *ignored) {
  (void)ignored;
  kept.state = ended;
  for (size_t index = 0; index < shelf_count; index++) {
    struct shelf *shelf = &kept.shelves[index];
    while (shelf->count > 0) free(shelf->blocks[--shelf->count]);
  }
}

static void make_key(void) { has_key = pthread_key_create(&thread_end, release_all) == 0; }

// Asks to be told of the thread's end; a thread that cannot be keeps nothing. Apart, for `keep` to be short.
__attribute__((noinline)) static bool begin_keeping(void) {
  pthread_once(&once, make_key);
  kept.state = has_key && pthread_setspecific(thread_end, &kept) == 0 ? registered : ended;
  return kept.state == registered;
}

static bool keep(void *block) {
  size_t index = shelf_of(malloc_usable_size(block));
  if (index == shelf_count) return false;
  struct shelf *shelf = &kept.shelves[index];
  size_t most = index == record_shelf ? openssl_memory_most_records : openssl_memory_most_small;
  if (shelf->count == most || kept.state == ended) return false;
  if (kept.state == unregistered && !begin_keeping()) return false;
  shelf->blocks[shelf->count++] = block;
  return true;
}

void *openssl_memory_take(size_t count, const char *file, int line) {
  (void)file, (void)line;
  if (count == 0) return NULL;
  size_t index = shelf_for(count);
  if (index == shelf_count) return malloc(count);
  struct shelf *shelf = &kept.shelves[index];
  if (shelf->count > 0) return shelf->blocks[--shelf->count];
  return malloc(index == record_shelf ? record : least_room + index * room_step);
}

void *openssl_memory_resize(void *block, size_t count, const char *file, int line) {
  if (block == NULL) return openssl_memory_take(count, file, line);
  if (count > 0) return realloc(block, count);
  openssl_memory_give(block, file, line);
  return NULL;
}

void openssl_memory_give(void *block, const char *file, int line) {
  (void)file, (void)line;
  if (block != NULL && !keep(block)) free(block);
}

size_t openssl_memory_kept(size_t count) {
  size_t index = shelf_for(count);
  return index == shelf_count ? 0 : kept.shelves[index].count;
}

void openssl_memory_install(void) {
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  CRYPTO_set_mem_functions(openssl_memory_take, openssl_memory_resize, openssl_memory_give);
#endif
}
