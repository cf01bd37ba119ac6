internal import Glibc

extension FileSystem {
  /// Removes a directory and the files in it; directories in it are left alone, and so is then the directory itself.
  public static func removeTree(_ directory: String) {
    for match in glob("\(directory)/*") { unsafe unlink(match.path) }
    unsafe rmdir(directory)
  }
}
