// SPDX-License-Identifier: MIT
// Files that may be gzipped (RFC 1952), by zlib.
#pragma once

#include <redoubt/io/file.hpp>

#include <zlib.h>

namespace redoubt::io::inline REDOUBT_ABI {

namespace impl {

inline bool begins_gzip(std::span<const std::byte> bytes) {
    return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

/// zlib's state, released in every way out.
class inflater {
public:
    inflater() { ready_ = ::inflateInit2(&stream_, 15 + 16) == Z_OK; }  // 16: a gzip wrapper is required
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    ~inflater() {
        if (ready_) ::inflateEnd(&stream_);
    }
    explicit operator bool() const { return ready_; }
    bool restart() { return ::inflateReset(&stream_) == Z_OK; }
    std::string_view message() const { return stream_.msg == nullptr ? "bad data" : stream_.msg; }

    /// Takes from `input` and fills `output` as far as either lasts; both are cut to what is left of them.
    int step(std::span<const std::byte>& input, std::span<std::byte>& output) {
        constexpr std::size_t most = std::numeric_limits<uInt>::max();
        const auto offered = static_cast<uInt>(std::min(input.size(), most));
        const auto room = static_cast<uInt>(std::min(output.size(), most));
        stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
        stream_.avail_in = offered;
        stream_.next_out = reinterpret_cast<Bytef*>(output.data());
        stream_.avail_out = room;
        const int code = ::inflate(&stream_, Z_NO_FLUSH);
        input = input.subspan(offered - stream_.avail_in);
        output = output.subspan(room - stream_.avail_out);
        return code;
    }

private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace impl

/// The content of gzip data of one or more members. Errors name `source`: truncated or corrupt data, bytes that follow
/// it, or more than `limit` bytes of content; memory stays near the limit however much the data would unpack to.
inline result<std::vector<std::byte>> gunzip(std::span<const std::byte> packed, std::string_view source,
                                             std::size_t limit = default_read_limit) {
    impl::inflater unpacker;
    if (!unpacker) return error{source} << ": zlib cannot start";
    const std::size_t most = std::min(limit, std::numeric_limits<std::size_t>::max() / 2) + 1;
    std::vector<std::byte> content;
    std::size_t size = 0;
    for (;;) {
        if (size == content.size()) content.resize(impl::grown(size, most));
        std::span<std::byte> room{content.data() + size, content.size() - size};
        const int code = unpacker.step(packed, room);
        size = content.size() - room.size();
        if (size >= most) return impl::over_limit(source, limit) << " once unpacked";
        if (code == Z_STREAM_END) {
            if (packed.empty()) break;
            if (!impl::begins_gzip(packed))
                return error{source} << ": " << packed.size() << " bytes follow the end of the gzip data";
            if (!unpacker.restart()) return error{source} << ": zlib cannot start again";
        } else if (code == Z_BUF_ERROR) {
            return error{source} << ": the gzip data is truncated after " << size << " unpacked bytes";
        } else if (code != Z_OK) {
            return error{source} << ": the gzip data is corrupt after " << size << " unpacked bytes ("
                                 << unpacker.message() << ")";
        }
    }
    content.resize(size);
    return content;
}

/// All bytes of a file, unpacked if it is gzipped; `limit` holds for the file and for its content.
inline result<std::vector<std::byte>> read_maybe_gzip(const std::string& path,
                                                      std::size_t limit = default_read_limit) {
    result<std::vector<std::byte>> bytes = read_file(path, limit);
    if (!bytes || !impl::begins_gzip(*bytes)) return bytes;
    return gunzip(*bytes, path, limit);
}

}  // namespace redoubt::io::inline REDOUBT_ABI
