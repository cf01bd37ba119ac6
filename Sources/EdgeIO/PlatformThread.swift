internal import CSystem
internal import EdgeCore
internal import Glibc

/// A thread of the operating system.
public final class PlatformThread: Sendable {
  private let handle: Guarded<pthread_t?>

  private init(_ handle: pthread_t) {
    self.handle = Guarded(handle)
  }

  deinit {
    if let handle = handle.withLock({ $0.take() }) { pthread_detach(handle) }
  }

  /// Starts a thread that runs `body` and ends with it.
  ///
  /// - Parameters:
  ///   - name: for `top -H` and debuggers; at most 15 bytes of it are used.
  ///   - body: captures only what may move to another thread, such as a `Mailbox`; it makes its `Reactor` itself.
  /// - Throws: `SystemError`, such as EAGAIN when the machine has too many threads.
  public static func start(_ name: StaticString, _ body: sending @escaping () -> Void) throws(SystemError) -> PlatformThread {
    let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var handle = pthread_t()
    let error = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
        setCurrentThreadName(start.name)
        start.body()
        return nil
      }, start.toOpaque())
    guard error == 0 else {
      unsafe start.release()
      throw SystemError("pthread_create", errno: error)
    }
    return PlatformThread(handle)
  }

  /// Lets another thread that waits for this core go first, if one does. For long work that nobody waits for as impatiently: a thread
  /// that has begun may else keep its core for some milliseconds.
  public static func giveWay() {
    sched_yield()
  }

  /// Waits until the thread has ended. A second call returns at once.
  public func join() {
    guard let handle = handle.withLock({ $0.take() }) else { return }
    pthread_join(handle, nil)
  }
}

/// What a new thread takes over from the one that starts it.
private final class ThreadStart {
  let name: StaticString
  let body: () -> Void

  init(name: StaticString, body: @escaping () -> Void) {
    self.name = name
    self.body = body
  }
}

private func setCurrentThreadName(_ name: StaticString) {
  // The kernel refuses more than 15 bytes.
  let text = String(String(describing: name).prefix(15))
  unsafe pthread_setname_np(pthread_self(), text)
}
