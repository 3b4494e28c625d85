// SPDX-License-Identifier: MIT
// The report page: what stands on it, that nothing in the JSON gets out of its place, and what bad JSON is answered.
#include "support/catch.hpp"
#include "support/complaint.hpp"
#include "support/temp_folder.hpp"

#include <redoubt/app/page.hpp>
#include <redoubt/app/report.hpp>

#include <cctype>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace app = redoubt::app;
using json = nlohmann::ordered_json;

json rate(double value, double low, double high) { return {{"rate", value}, {"low", low}, {"high", high}}; }

json cell(std::string protection, double ber, double accuracy, json sdc1, double time = 1.0, double memory = 1.0) {
    return {{"fault", "weights"}, {"covers", "weights in every copy"}, {"model", "lenet5"}, {"number", "fp32"},
            {"protection", std::move(protection)}, {"ber", ber}, {"flips", 0}, {"clean_accuracy", 0.875},
            {"accuracy", rate(accuracy, 0.5 * accuracy, 0.5 + 0.5 * accuracy)}, {"sdc1", std::move(sdc1)},
            {"unusable", rate(0, 0, 0.168)}, {"faults", 123457}, {"detected", 0}, {"corrected", 0}, {"uncorrected", 0},
            {"out_of_range", 0}, {"memory_factor", memory}, {"timing", {{"time_factor", time}}}};
}

json results(std::vector<json> cells) {
    json j;
    j["schema"] = 2;
    j["program"] = {{"name", "redoubt"}, {"version", "0.1.0"}};
    j["command"] = "resilience --seed 77";
    j["options"] = {{"data", "here"}, {"seed", 77}, {"trials", 19}, {"images", 23}, {"calibration_images", 29}, {"bits", "any"},
                    {"layer", ""}, {"flips", 0}, {"normalise", ""}, {"faults", {"weights"}}, {"models", {"lenet5"}},
                    {"numbers", {"fp32"}}, {"protections", {"none", "tmr"}}, {"rates", {1e-6, 1e-5}}};
    j["weights"] = {{{"model", "lenet5"}, {"file", "lenet5.safetensors"}, {"crc32c", "0badcafe"}}};
    j["confidence"] = 0.95;
    j["cells"] = std::move(cells);
    return j;
}

json two_protections() {
    return results({cell("none", 1e-6, 0.8, rate(0.0625, 0.03, 0.11)), cell("none", 1e-5, 0.3, rate(0.6, 0.4, 0.8)),
                    cell("tmr", 1e-6, 0.875, rate(0, 0, 0.168), 2.97, 1.08), cell("tmr", 1e-5, 0.875, rate(0, 0, 0.168), 2.97, 1.08)});
}

std::string page_of(const json& j) {
    const auto page = app::report_page(j);
    INFO(support::complaint(page));
    REQUIRE(page);
    return *page;
}

std::size_t count(std::string_view text, std::string_view word) {
    std::size_t n = 0;
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) ++n;
    return n;
}

/// What is wrong with the nesting of elements, or nothing. Attributes must be in double quotes.
std::string unbalanced(std::string_view page) {
    std::vector<std::string> open;
    for (std::size_t i = page.find('<'); i != page.npos; i = page.find('<', i)) {
        if (page.substr(i).starts_with("<!DOCTYPE html>")) {
            i += 15;
            continue;
        }
        const bool closing = i + 1 < page.size() && page[i + 1] == '/';
        std::size_t at = i + (closing ? 2 : 1);
        const std::size_t name_at = at;
        while (at < page.size() && (std::isalnum(static_cast<unsigned char>(page[at])) != 0)) ++at;
        const std::string name{page.substr(name_at, at - name_at)};
        if (name.empty()) return "a < that opens nothing at " + std::string{page.substr(i, 30)};
        for (bool quoted = false; at < page.size() && (quoted || page[at] != '>'); ++at) {
            if (page[at] == '"') quoted = !quoted;
            if (page[at] == '<') return "a < within <" + name;
        }
        if (at == page.size()) return "<" + name + " does not end";
        const bool empty = page[at - 1] == '/' || name == "meta";
        if (closing) {
            if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
            open.pop_back();
        } else if (!empty) {
            open.push_back(name);
        }
        i = at;
    }
    return open.empty() ? "" : "<" + open.back() + "> stays open";
}

/// Holds for every page.
void check_page(const std::string& page) {
    CHECK(unbalanced(page) == "");
    CHECK(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    for (const char* reference : {"http:", "https:", " src=\"", " href=\"", "<script", "<link", "<img", "@import", "url(h", "url(/", "nan", "inf\""}) {
        CAPTURE(reference);
        CHECK(count(page, reference) == 0);
    }
    CHECK(count(page, "url(") == count(page, "url(#hatch-"));
}

/// Every string of the JSON, replaced.
void replace_strings(json& node, const std::string& by) {
    if (node.is_string()) node = by;
    if (node.is_structured())
        for (json& child : node) replace_strings(child, by);
}

}  // namespace

TEST_CASE("the page has the plan, the charts, every cell, and how to read them", "[app]") {
    const std::string page = page_of(two_protections());
    check_page(page);
    for (const char* words : {"<h1>Faults in lenet5", "redoubt 0.1.0", "<pre>resilience --seed 77</pre>", "lenet5.safetensors, CRC-32C 0badcafe",
                              "<dd>19 a cell, each over the same 23 test images</dd>", "<dd>29 training images</dd>", "<dd>77</dd>",
                              "<dd>1e-6, 1e-5</dd>", "BER in weights covers weights in every copy.", "catastrophe that no trial met", "at 95 %",
                              "Machine code, control flow, addresses and image buffers are never struck"}) {
        CAPTURE(words);
        CHECK(count(page, words) == 1);
    }
    CHECK(count(page, "aria-label=\"Accuracy, faults in weights, lenet5, fp32\"") == 1);
    CHECK(count(page, "aria-label=\"SDC-1 against time, faults in weights, lenet5, fp32, BER 1e-6\"") == 1);
    CHECK(count(page, "aria-label=\"SDC-1 against memory, faults in weights, lenet5, fp32, BER 1e-5\"") == 1);
    CHECK(count(page, "<td>6.2 [3.0, 11.0]</td>") + count(page, "<td>6.3 [3.0, 11.0]</td>") == 1);
    CHECK(count(page, "<td>123457</td>") == 4);
    CHECK(count(page, "<title>none, BER 1e-5: accuracy 30.0 [15.0, 65.0] %</title>") == 1);
    CHECK(count(page, "no results by layer and bit") == 1);
}

TEST_CASE("where no change was seen the page says so and draws the upper bound", "[app]") {
    const std::string page = page_of(two_protections());
    CHECK(count(page, "SDC-1 0.0 [0.0, 16.8] %, time x 2.97; none seen, drawn at the upper bound") == 2);
    // none is cheaper; at 1e-5 tmr's bound is below what none was measured at, at 1e-6 it is not
    CHECK(count(page, "memory x 1.08; none seen, drawn at the upper bound; on the front") == 1);
}

TEST_CASE("the same JSON gives the same page", "[app]") {
    CHECK(page_of(two_protections()) == page_of(two_protections()));
    json untimed = two_protections();
    for (json& c : untimed["cells"]) c.erase("timing");
    const std::string page = page_of(untimed);
    check_page(page);
    CHECK(count(page, "SDC-1 against time") == 0);
    CHECK(count(page, "SDC-1 against memory") == 2);
}

TEST_CASE("hostile strings stay text", "[app]") {
    for (const std::string hostile : {"<script>alert(1)</script>", "</title></style></pre><img src=x onerror=alert(1)>",
                                      "\" onload=\"alert(1)", "' onmouseover='alert(1)", "<!--", "]]>&amp;&#0;", "a\nb\tc\rd",
                                      "\x01\x02\x7f", "", "%s%n{}"}) {
        CAPTURE(hostile);
        json j = two_protections();
        j["cells"][0]["by_layer_and_bit"] = {{{"layer", "conv1"}, {"bit", 3}, {"trials", 5}, {"sdc1", 0.2}}};
        replace_strings(j, hostile);
        const std::string page = page_of(j);
        check_page(page);
        if (hostile.find_first_of("<\"'") != std::string::npos) CHECK(count(page, hostile) == 0);
        for (char c : page)
            if (static_cast<unsigned char>(c) < 0x20 && c != '\n') FAIL("a control character");
    }
    json j = two_protections();
    replace_strings(j, std::string(100000, 'w'));
    check_page(page_of(j));
}

TEST_CASE("text is escaped, shortened and made UTF-8", "[app]") {
    CHECK(app::escaped("a<b>&\"c'") == "a&lt;b&gt;&amp;&quot;c&#39;");
    CHECK(app::escaped("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
    const std::string lost = "\xef\xbf\xbd";
    CHECK(app::escaped("\xc3") == lost);
    CHECK(app::escaped("\xc0\xaf") == lost + lost);              // an overlong slash
    CHECK(app::escaped("\xed\xa0\x80") == lost + lost + lost);   // a surrogate
    CHECK(app::escaped("\xc2\x85") == lost + lost);              // a control character of C1
    CHECK(app::escaped(std::string_view{"\0", 1}) == lost);
    CHECK(app::shortened("conv1", 5) == "conv1");
    CHECK(app::shortened("conv10", 5) == "conv\xe2\x80\xa6");
    CHECK(app::shortened("\xc3\xbc\xc3\xbc\xc3\xbc", 2) == "\xc3\xbc\xe2\x80\xa6");
}

TEST_CASE("numbers are never rounded to certainty", "[app]") {
    CHECK(app::percent_text(0.0) == "0.0");
    CHECK(app::percent_text(1.0) == "100.0");
    CHECK(app::percent_text(0.0004) == "0.04");
    CHECK(app::percent_text(1e-7) == "0.00001");
    CHECK(app::percent_text(0.99996) == "99.996");
    CHECK(app::percent_text(1e-20) == "1e-18");
    CHECK(app::percent_text(0.6875) == "68.8");
    CHECK(app::rate_text(1e-6) == "1e-6");
    CHECK(app::rate_text(2.5e-12) == "2.5e-12");
    CHECK(app::rate_text(0.01) == "0.01");
    CHECK(app::rate_text(20.0) == "20");
}

TEST_CASE("campaigns of every size have a page", "[app]") {
    const auto shows = [](std::vector<json> cells, std::string_view words) {
        const std::string page = page_of(results(std::move(cells)));
        check_page(page);
        CAPTURE(words);
        CHECK(count(page, words) > 0);
    };
    shows({}, "No cell was run.");
    shows({cell("none", 1e-6, 0.8, rate(0.5, 0.4, 0.6))}, "no two protections");
    shows({cell("none", 1e-6, 0.8, rate(0.5, 0.4, 0.6)), cell("tmr", 1e-6, 0.8, rate(0.1, 0, 0.2))}, ">1e-6</text>");
    shows({cell("none", 0.0, 0.8, rate(0, 0, 0.1)), cell("tmr", 0.0, 0.8, rate(0, 0, 0.1))}, "<td>clean</td>");
    shows({cell("none", 1e-6, 0.0, rate(1, 0.8, 1)), cell("tmr", 1e-6, 1.0, rate(0, 0, 0.2), 3.0)}, "100.0 [80.0, 100.0]");
    shows({cell("none", 1e-6, 0.0, rate(1, 1, 1)), cell("tmr", 1e-6, 0.0, rate(0, 0, 0))}, "0.0 [0.0, 0.0]");  // no interval
    shows({cell("none", 1e-300, 0.5, rate(1e-300, 0, 1)), cell("a", 1.0, 0.5, rate(1, 0, 1), 1e11, 1e-11)}, "1e-300");
    json counted = cell("none", 0.0, 0.8, rate(0.5, 0.4, 0.6));
    counted["flips"] = 5;
    shows({counted}, "The count of flips in weights covers");
    std::vector<json> many;
    for (int i = 0; i < 40; ++i) many.push_back(cell(std::to_string(i) + "th", 1e-5, 0.8, rate(0.5, 0.4, 0.6), 1.0 + 0.01 * i));
    shows(many, "39th");
}

TEST_CASE("layers and bits become a map", "[app]") {
    json j = two_protections();
    json& map = j["cells"][1]["by_layer_and_bit"] = json::array();
    map.push_back({{"layer", "conv1"}, {"bit", 30}, {"trials", 40}, {"sdc1", 0.925}});
    map.push_back({{"layer", "conv1"}, {"bit", 2}, {"trials", 1}, {"sdc1", 0.0}});
    map.push_back({{"layer", "fc"}, {"bit", 5}, {"trials", 0}, {"sdc1", 0.0}});
    const std::string page = page_of(j);
    check_page(page);
    CHECK(count(page, "<rect class=\"h8\"") == 2);  // the field and the legend
    CHECK(count(page, "<title>conv1, bit 30: SDC-1 92.5 % in 40 trials</title>") == 1);
    CHECK(count(page, "<title>conv1, bit 2: SDC-1 0.0 % in 1 trial</title>") == 1);
    CHECK(count(page, "fc, bit 5") == 0);  // in no trial: the ground, which is hatched
    CHECK(count(page, "<title>not tested</title>") == 1);
    map[1]["bit"] = 30;
    CHECK_COMPLAINT(app::report_page(j), "cells[1].by_layer_and_bit[1]: this layer and bit stand twice");
}

TEST_CASE("bad JSON is an error that says what and where", "[app]") {
    const auto refused = [](const char* pointer, const json& value) {
        json j = two_protections();
        j[json::json_pointer{pointer}] = value;
        return app::report_page(j);
    };
    CHECK_COMPLAINT(app::report_page(json::array()), "the file: must be an object, is array");
    CHECK_COMPLAINT(app::report_page(json::object()), "schema: is missing");
    CHECK_COMPLAINT(refused("/schema", 1), "schema: is 1, this program reads 2");
    CHECK_COMPLAINT(refused("/program", "redoubt"), "program: must be an object, is string");
    CHECK_COMPLAINT(refused("/options/models/0", 3), "options.models[0]: must be a string, is number");
    CHECK_COMPLAINT(refused("/options/rates", 3), "options.rates: must be a list, is number");
    CHECK_COMPLAINT(refused("/cells/2/ber", nullptr), "cells[2].ber: must be a number, is null");
    CHECK_COMPLAINT(refused("/cells/2/ber", 1.5), "cells[2].ber: lies outside its range, is 1.5");
    CHECK_COMPLAINT(refused("/cells/0/clean_accuracy", std::numeric_limits<double>::quiet_NaN()),
                    "cells[0].clean_accuracy: is NaN or infinite");
    CHECK_COMPLAINT(refused("/cells/3/accuracy/high", 0.1), "cells[3].accuracy: the rate does not lie between low and high");
    CHECK_COMPLAINT(refused("/cells/3/faults", -1), "cells[3].faults: must be a whole number from 0, is -1");
    CHECK_COMPLAINT(refused("/cells/3/faults", 1.5), "cells[3].faults: must be a whole number");
    CHECK_COMPLAINT(refused("/cells/3/memory_factor", 0), "cells[3].memory_factor: lies outside its range");
    CHECK_COMPLAINT(refused("/cells/3/timing/time_factor", std::numeric_limits<double>::infinity()), "time_factor: is NaN or infinite");
    CHECK_COMPLAINT(refused("/cells/3/timing", json::object()), "cells[3].timing.time_factor: is missing");
    CHECK_COMPLAINT(refused("/cells/1/by_layer_and_bit", json::array({1})), "cells[1].by_layer_and_bit[0]: must be an object");

    // every field that the page needs, taken away and of another type
    const json fields = two_protections().flatten();
    for (const auto& [pointer, value] : fields.items()) {
        CAPTURE(pointer);
        json j = two_protections();
        j[json::json_pointer{pointer}] = value.is_string() ? json(1) : json("x");
        CHECK_FALSE(app::report_page(j));
        const json::json_pointer place{pointer};
        json& parent = j[place.parent_pointer()];
        if (!parent.is_object()) continue;
        parent.erase(place.back());
        CHECK_COMPLAINT(app::report_page(j), "is missing");
    }
}

TEST_CASE("a page is written from a file, whole or not at all", "[app]") {
    const support::temp_folder folder;
    const std::string in = folder.write("results.json", support::bytes_of(two_protections().dump())), out = folder.file("report.html");
    REQUIRE(app::write_report(in, out));
    const auto bytes = redoubt::io::read_file(out);
    REQUIRE(bytes);
    CHECK(std::string_view{reinterpret_cast<const char*>(bytes->data()), bytes->size()} == page_of(two_protections()));

    CHECK_COMPLAINT(app::write_report(folder.file("none.json"), out), "none.json", "cannot be opened");
    for (const char* broken : {"{\"schema\": 2,", "{\"schema\": NaN}", "{\"schema\": 1e999}", "", "\xff"}) {
        CAPTURE(broken);
        const std::string bad = folder.write("broken.json", support::bytes_of(broken));
        CHECK_COMPLAINT(app::write_report(bad, folder.file("broken.html")), "broken.json: ");
    }
    CHECK_COMPLAINT(app::write_report(folder.write("empty.json", support::bytes_of("{}")), out), "empty.json: schema: is missing");
    CHECK(folder.entries() == 4);  // no broken.html
}

TEST_CASE("the sample of the page's script test has a page", "[app]") {
    const support::temp_folder folder;
    const auto written = app::write_report(REDOUBT_SOURCE_DIR "/tests/data/results-sample.json", folder.file("sample.html"));
    INFO(support::complaint(written));
    CHECK(written);
}

TEST_CASE("pairs, areas and failures in the field stand on the page", "[app]") {
    json j = two_protections();
    j["options"]["margin"] = 0.02;
    j["options"]["fit_per_megabit"] = 250.0;
    j["cells"][2]["trial_count"] = 4711;
    j["cells"][2]["minus_none"] = {{"accuracy", {{"difference", 0.125}, {"low", 0.03125}, {"high", 0.25}, {"trials_above", 9}, {"trials_below", 1}, {"p_value", 0.0215}}},
                                   {"sdc1", {{"difference", -0.25}, {"low", -0.5}, {"high", 0.0}, {"trials_above", 0}, {"trials_below", 20}, {"p_value", 1e-6}}}};
    j["cells"][2]["field"] = {{"fit", {{"rate", 12.5}, {"low", 0.0}, {"high", 3.5e7}}}, {"mttf_hours", {{"mean", 8e7}, {"low", 28.5}, {"high", nullptr}}}};
    j["curves"] = {{{"fault", "weights"}, {"model", "lenet5"}, {"number", "fp32"}, {"protection", "tmr"}, {"lowest_ber", 1e-6}, {"highest_ber", 1e-5}, {"mean_accuracy", 0.8125}}};
    const std::string page = page_of(j);
    check_page(page);
    for (const char* text : {"+12.5 [+3.1, +25.0]", "-25.0 [-50.0, 0.0]", "0.0215", "below 0.0001", "<td>4711</td>", "<td>81.2</td>",
                             "12 [0, 3.50e+07]", "8.00e+07 [28, no end]", "at most 19 a cell", "SDC-1 to 2.0 points", "250 FIT"}) {
        CAPTURE(text);
        CHECK(count(page, text) == 1);
    }
    CHECK(count(page_of(two_protections()), "Failures in the field") == 0);
    CHECK(count(page_of(two_protections()), "fault by fault") == 0);

    j["cells"][2]["minus_none"]["sdc1"]["high"] = -0.3;
    CHECK_COMPLAINT(app::report_page(j), "cells[2].minus_none.sdc1: the difference does not lie between low and high");
    j["cells"][2]["minus_none"]["sdc1"]["high"] = 2.0;
    CHECK_COMPLAINT(app::report_page(j), "cells[2].minus_none.sdc1.high: lies outside its range");
    j = two_protections();
    j["cells"][0]["field"] = {{"fit", 3.0}};
    CHECK_COMPLAINT(app::report_page(j), "cells[0].field.fit: must be an object");
    j = two_protections();
    j["curves"] = {{{"fault", "weights"}}};
    CHECK_COMPLAINT(app::report_page(j), "curves[0].model: is missing");
}

TEST_CASE("what a campaign writes is what the page reads", "[app]") {
    app::options o;
    o.models = {"lenet5"};
    o.numbers = {"int8"};
    o.rates = {1e-6};
    o.data = "it's here";
    redoubt::campaign::cell_summary c;
    c.model = "lenet5";
    c.number = "int8";
    c.protection = "crc";
    c.spec.faults.rate = 1e-6;
    c.trials.resize(3);
    redoubt::campaign::summarise(c, 10);
    const json j = app::results_json(o, {{"lenet5", "weights.safetensors", "01234567"}}, {c}, 10);
    CHECK(j["command"] == "resilience --model lenet5 --data 'it'\\''s here' --fault weights,features --fault-model flip --ber 1e-06 --bits any --sampling uniform "
                          "--number int8 --trials 20 --images 100 --calibration 2000 --seed 1");
    CHECK(j["options"]["protections"] == json::array({"crc"}));
    const std::string page = page_of(j);
    check_page(page);
    CHECK_FALSE(j["options"].contains("ranking_crc32c"));
    o.ranking = "ranking-taylor.json";
    const json ranked = app::results_json(o, {{"lenet5", "weights.safetensors", "01234567"}}, {c}, 10, "89abcdef");
    CHECK(ranked["options"]["ranking_crc32c"] == "89abcdef");
    CHECK(count(page_of(ranked), "ranking-taylor.json, CRC-32C 89abcdef") == 1);
    CHECK(count(page, "--data &#39;it&#39;\\&#39;&#39;s here&#39;") == 1);
}
