// SPDX-License-Identifier: MIT
#include <redoubt/campaign/journal.hpp>

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace redoubt;
using namespace redoubt::campaign;

namespace {

/// A folder of its own that goes away.
struct scratch_folder {
    std::string path;
    scratch_folder() {
        char name[] = "/tmp/redoubt-journal-XXXXXX";
        path = ::mkdtemp(name);
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
};

std::string text_of(const std::string& path) {
    const auto bytes = io::read_file(path);
    REQUIRE(bytes);
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}
void put(const std::string& path, std::string_view text) { std::ofstream{path, std::ios::binary} << text; }

trial_result some_result(std::uint32_t seed) {
    trial_result r;
    std::uint32_t v = seed;
    trial_result::for_each(r, [&](const char*, auto& count) { count = v++ * 7u; });
    return r;
}

constexpr int trials[] = {3, 5};
const std::string plan = R"({"model":["lenet5"],"seed":1})";

/// A journal with five of its eight trials.
std::string begun(const std::string& path) {
    auto j = journal::open(path, plan, trials);
    REQUIRE(j);
    for (int t : {0, 2}) j->add(0, t, some_result(static_cast<std::uint32_t>(t)));
    for (int t : {4, 1, 0}) j->add(1, t, some_result(static_cast<std::uint32_t>(100 + t)));
    REQUIRE(j->flush());
    return text_of(path);
}

}  // namespace

TEST_CASE("a journal gives back what was put in", "[campaign][journal]") {
    const scratch_folder folder;
    const std::string path = folder.path + "/journal.txt";
    begun(path);
    auto again = journal::open(path, plan, trials);
    REQUIRE(again);
    CHECK(again->cell(0).finished() == 2);
    CHECK(again->cell(1).finished() == 3);
    CHECK(again->cell(1).results[4] == some_result(104));
    CHECK(again->cell(0).done == std::vector<char>{1, 0, 1});
    again->add(0, 1, some_result(1));
    REQUIRE(again->flush());
    CHECK(journal::open(path, plan, trials)->cell(0).complete());
}

TEST_CASE("a journal cut at any byte goes on with its whole lines", "[campaign][journal]") {
    const scratch_folder folder;
    const std::string path = folder.path + "/journal.txt";
    const std::string whole = begun(path);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        put(path, std::string_view{whole}.substr(0, cut));
        auto j = journal::open(path, plan, trials);
        REQUIRE(j);
        const auto lines = static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut), '\n'));
        CHECK(j->cell(0).finished() + j->cell(1).finished() == (lines == 0 ? 0 : lines - 1));
        // what is lost is run again, and the file is whole
        for (int c : {0, 1})
            for (int t = 0; t < trials[c]; ++t) j->add(static_cast<std::size_t>(c), t, some_result(static_cast<std::uint32_t>(100 * c + t)));
        REQUIRE(j->flush());
        auto full = journal::open(path, plan, trials);
        REQUIRE(full);
        CHECK(full->cell(0).complete());
        CHECK(full->cell(1).complete());
    }
}

TEST_CASE("a damaged journal is an error that says where", "[campaign][journal]") {
    const scratch_folder folder;
    const std::string path = folder.path + "/journal.txt";
    const std::string whole = begun(path);
    int refused = 0;
    for (std::size_t at = 0; at + 1 < whole.size(); ++at) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        if (damaged[at] == '\n' || whole[at] == '\n') continue;  // lines joined or split are tried below
        put(path, damaged);
        const auto j = journal::open(path, plan, trials);
        refused += j ? 0 : 1;
        if (!j) CHECK(j.reason().text().find("line ") != std::string_view::npos);
    }
    CHECK(refused == static_cast<int>(whole.size()) - static_cast<int>(std::count(whole.begin(), whole.end(), '\n')));
    std::string joined = whole;
    joined.erase(whole.find('\n'), 1);
    put(path, joined);
    CHECK(!journal::open(path, plan, trials));
    put(path, whole);
    CHECK(text_of(path) == whole);
}

TEST_CASE("another plan, a trial that the plan lacks and two results of one trial are refused", "[campaign][journal]") {
    const scratch_folder folder;
    const std::string path = folder.path + "/journal.txt";
    const std::string whole = begun(path);
    const auto other = journal::open(path, R"({"model":["lenet5"],"seed":2})", trials);
    REQUIRE(!other);
    CHECK(other.reason().text().find("another campaign") != std::string_view::npos);
    CHECK(text_of(path) == whole);
    constexpr int fewer[] = {3, 4};
    CHECK(!journal::open(path, plan, fewer));
    put(path, whole + campaign::impl::trial_line(0, 0, some_result(9)));
    CHECK(!journal::open(path, plan, trials));
    put(path, whole + campaign::impl::trial_line(0, 0, some_result(0)));
    CHECK(journal::open(path, plan, trials));
    put(path, "nothing of the kind\n");
    CHECK(!journal::open(path, plan, trials));
}

TEST_CASE("a full disk stops the journal, which can still be resumed", "[campaign][journal]") {
    // a file whose size is limited stands for a full disk
    const scratch_folder folder;
    const std::string path = folder.path + "/journal.txt";
    begun(path);
    std::filesystem::create_symlink("/dev/full", folder.path + "/full.txt");
    CHECK(!journal::open(folder.path + "/full.txt", plan, trials));
    CHECK(!journal::open(folder.path + "/none/journal.txt", plan, trials));
    CHECK(journal::open(path, plan, trials));
}
