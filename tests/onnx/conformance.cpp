// SPDX-License-Identifier: MIT
// The operator cases of the ONNX project (Debian: libonnx-testdata): each is run and compared with its golden output, or
// stands in out_of_scope.txt with the reason.
#include <redoubt/base/philox.hpp>

#include "support/catch.hpp"
#include "support/onnx_operators.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using namespace support::onnx;

const fs::path data = "/usr/share/libonnx-testdata/data";

std::vector<std::byte> bytes_of_file(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::vector<char> text{std::istreambuf_iterator<char>{file}, {}};
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

/// '*' stands for any characters.
bool matches(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    if (pattern[0] != '*') return !name.empty() && pattern[0] == name[0] && matches(pattern.substr(1), name.substr(1));
    for (std::size_t i = 0; i <= name.size(); ++i)
        if (matches(pattern.substr(1), name.substr(i))) return true;
    return false;
}

struct exclusion {
    std::string pattern, reason;
    int cases = 0;
};
std::vector<exclusion> exclusions() {
    std::vector<exclusion> all;
    std::ifstream file{std::string{REDOUBT_SOURCE_DIR} + "/tests/onnx/out_of_scope.txt"};
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words{line};
        exclusion e;
        words >> e.pattern >> std::ws;
        std::getline(words, e.reason);
        all.push_back(e);
    }
    return all;
}

/// The output of a case's one node, and what it should be; nothing where the library has no such operation.
struct compared {
    tensor got, golden;
};
std::optional<compared> run_case(const fs::path& folder) {
    const auto m = read_model(bytes_of_file(folder / "model.onnx"));
    if (!m || m->nodes.size() != 1) return {};
    std::map<std::string, tensor> values;
    for (const tensor& t : m->initializers) values[t.name] = t;
    for (std::size_t i = 0, k = 0; i < m->inputs.size(); ++i) {
        if (values.count(m->inputs[i]) != 0) continue;  // an initializer is an input with a value
        const auto t = read_tensor(bytes_of_file(folder / "test_data_set_0" / ("input_" + std::to_string(k++) + ".pb")));
        if (!t) return {};
        values[m->inputs[i]] = *t;
    }
    operands in;
    for (const std::string& name : m->nodes[0].inputs) in.push_back(values.count(name) != 0 ? &values[name] : nullptr);
    const auto golden = read_tensor(bytes_of_file(folder / "test_data_set_0" / "output_0.pb"));
    if (!golden) return {};
    const auto got = carried_out(m->nodes[0], in, m->opset);
    if (!got) return {};
    return compared{*got, *golden};
}

/// Integers are equal; floats within 1e-5 of the golden value, and 1e-6 where that is near zero.
bool agree(const compared& c) {
    if (c.got.dims != c.golden.dims || c.got.type != c.golden.type || c.got.values.size() != c.golden.values.size()) return false;
    for (std::size_t i = 0; i < c.got.values.size(); ++i) {
        const double a = c.got.values[i], b = c.golden.values[i];
        const double most = c.golden.type == element::float32 ? 1e-5 * std::fabs(b) + 1e-6 : 0.0;
        if (!(std::fabs(a - b) <= most) && !(a == b)) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("every ONNX operator case is run against its golden output, or is out of scope for a reason", "[onnx]") {
    if (!fs::exists(data / "node")) {
        WARN("not run: install libonnx-testdata");
        return;
    }
    auto excluded = exclusions();
    std::set<std::string> names;
    for (const char* set : {"node", "pytorch-converted"})
        for (const auto& entry : fs::directory_iterator{data / set}) {
            const std::string name = entry.path().filename().string().substr(5);  // "test_"
            names.insert(std::string{set} == "node" ? name : std::string{set} + "/" + name);
        }
    int run[2] = {0, 0}, left_out = 0;
    for (const std::string& name : names) {
        const bool converted = name.starts_with("pytorch-converted/");
        const auto folder = converted ? data / "pytorch-converted" / ("test_" + name.substr(18)) : data / "node" / ("test_" + name);
        CAPTURE(name);
        if (const auto done = run_case(folder)) {
            CHECK(agree(*done));
            ++run[converted ? 1 : 0];
            continue;
        }
        const auto first = std::find_if(excluded.begin(), excluded.end(),
                                        [&](const exclusion& e) { return matches(e.pattern, name); });
        if (first == excluded.end()) {
            FAIL_CHECK("neither run nor in tests/onnx/out_of_scope.txt");
            continue;
        }
        ++first->cases;
        ++left_out;
    }
    std::cout << run[0] << " ONNX operator cases and " << run[1] << " of PyTorch's run, " << left_out << " out of scope:\n";
    for (const exclusion& e : excluded) {
        std::cout << "  " << e.cases << "  " << e.pattern << "  " << e.reason << '\n';
        CAPTURE(e.pattern);
        CHECK(e.cases > 0);  // or the line is of no use
        CHECK_FALSE(e.reason.empty());
    }
    CHECK(run[0] >= 90);
    CHECK(run[1] >= 30);
}

TEST_CASE("whatever the bytes are, reading a tensor or a model ends", "[onnx]") {
    // dims 2 x 1, float, raw data; then a model around it as initializer
    const auto bytes_of = [](const std::vector<int>& values) {
        std::vector<std::byte> bytes(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) bytes[i] = static_cast<std::byte>(values[i]);
        return bytes;
    };
    const auto small = bytes_of({0x08, 2, 0x08, 1, 0x10, 1, 0x4a, 8, 0, 0, 128, 63, 0, 0, 0, 64});
    const auto outer = bytes_of({0x3a, 18, 0x2a, 16, 0x08, 2, 0x08, 1, 0x10, 1, 0x4a, 8, 0, 0, 128, 63, 0, 0, 0, 64});
    const auto t = read_tensor(small);
    REQUIRE(t);
    CHECK(t->values == std::vector<double>{1.0, 2.0});
    REQUIRE(read_model(outer));
    CHECK(read_model(outer)->initializers.size() == 1);
    redoubt::random_stream random{71, {}};
    int read = 0;
    for (int i = 0; i < 20000; ++i) {
        auto bytes = i % 2 == 0 ? small : outer;
        for (std::uint64_t k = random.below(4); k-- > 0;) bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
        bytes.resize(random.below(bytes.size() + 1));
        read += read_tensor(bytes) ? 1 : 0;
        read += read_model(bytes) ? 1 : 0;
    }
    CHECK(read > 0);
    CHECK_FALSE(read_tensor(std::vector<std::byte>(11, std::byte{0xff})));
    // extents whose product overflows
    const auto huge = bytes_of({0x08, 0xff, 0xff, 0xff, 0xff, 0x07, 0x08, 0xff, 0xff, 0xff, 0xff, 0x07, 0x10, 1});
    CHECK_FALSE(read_tensor(huge));
}
