-- The world that macros' Lua code lives in: what is native is made to look and fail as rpm's own functions do.
local native = ...
local error, load_any, select, setmetatable, tostring, type =
    error, load, select, setmetatable, tostring, type
local concat, insert, pack, remove, unpack = table.concat, table.insert, table.pack, table.remove, table.unpack
local call_protected, ipairs, to_integer, to_number, truncate = pcall, ipairs, math.tointeger, tonumber, math.modf
local io_open, io_stdout = io.open, io.stdout

-- Native functions give false and a message where they fail: a message gets the place of the caller.
local function guarded(call)
    return function(...)
        local results = pack(call(...))
        if results[1] then
            return unpack(results, 2, results.n)
        end
        error(results[2], 2)
    end
end

-- A function of Lua's own or of ours that another one here calls: its errors get the place of that one's caller.
local function placing(call)
    return function(...)
        local results = pack(call_protected(call, ...))
        if results[1] then
            return unpack(results, 2, results.n)
        end
        error(results[2], 3)
    end
end

local function library(functions)
    local result = {}
    for name, call in pairs(functions) do
        result[name] = guarded(call)
    end
    return result
end

rpm = library(native.rpm())
local local_path, may = guarded(native.local_path), guarded(native.may)

-- Few macros need `posix`: it is made for the first that asks for it.
local function new_posix()
    local posix = library(native.posix())
    posix.version = posix.version()
    local new_file = placing(posix.mkstemp)
    function posix.mkstemp(...)
        local path, message, code = new_file(...)
        if not path then
            return nil, message, code
        end
        return io_open(local_path(path), "r+"), path
    end
    function posix.files(path)
        local names, message, code = posix.dir(path)
        if not names then
            return nil, message, code
        end
        local at = 0
        return function()
            at = at + 1
            return names[at]
        end
    end
    return posix
end

setmetatable(_G, {
    __index = function(globals, name)
        if name == "posix" then
            globals.posix = new_posix()
            return globals.posix
        end
    end,
})

-- Functions by the names that they are called with. What rpm hands from one to the other is an integer or a number of C
-- ("%i", "%f"), a text ("%s") or a pointer ("%p"): nothing else gets through, and nil becomes the null pointer.
local hooks = {}

local function check_hook(name, call)
    if type(name) ~= "string" and type(name) ~= "number" then
        error("bad argument #1 to '" .. call .. "' (hook name expected)", 3)
    end
    return tostring(name)
end

local function hook_argument(value)
    local kind = type(value)
    if kind == "nil" then
        return native.null
    elseif kind == "number" then
        local integer = to_integer(value)
        local fits = integer and integer >= -2147483648 and integer <= 2147483647
        return fits and integer or value + 0.0
    elseif kind == "string" or kind == "userdata" then
        return value
    end
    error("unsupported Lua type passed to hook", 3)
end

-- What C makes of a number: without what stands after the point, and 0 where it is none.
local function truncated(value)
    local number = to_number(value)
    return number and number == number and (truncate(number)) or 0
end

function rpm.register(name, call)
    name = check_hook(name, "register")
    if type(call) ~= "function" then
        error("bad argument #2 to 'register' (function expected)", 2)
    end
    local handle = native.new_handle()
    hooks[name] = hooks[name] or {}
    insert(hooks[name], { handle = handle, call = call })
    return handle
end

function rpm.unregister(name, handle)
    name = check_hook(name, "unregister")
    if type(handle) ~= "userdata" then
        error("bad argument #2 to 'unregister' (hook information expected)", 2)
    end
    for at, known in ipairs(hooks[name] or {}) do
        if known.handle == handle then
            remove(hooks[name], at)
            return
        end
    end
end

-- One that fails is told, and the next one is called; one that gives a number other than 0 is the last.
function rpm.call(name, ...)
    name = check_hook(name, "call")
    local values = pack(...)
    for at = 1, values.n do
        values[at] = hook_argument(values[at])
    end
    for _, known in ipairs({ unpack(hooks[name] or {}) }) do
        local ok, result = call_protected(known.call, { unpack(values, 1, values.n) })
        if not ok and (native.exceeded() or native.error_text(result) == "not enough memory") then
            error(result, 0)
        elseif not ok then
            native.hook_failed(tostring(native.error_text(result)))
        elseif to_integer(truncated(result)) ~= 0 then
            return
        end
    end
end

macros = setmetatable({}, {
    __name = "rpm.mc",
    __index = function(_, name)
        if type(name) ~= "string" and type(name) ~= "number" then
            error("bad argument #2 to 'index' (string expected, got " .. type(name) .. ")", 2)
        end
        local results = pack(native.macro(name))
        if not results[1] then
            error(results[2], 2)
        elseif results[2] ~= true then
            return results[2]
        end
        return function(...)
            local called = pack(native.call(name, ...))
            if not called[1] then
                error(called[2], 2)
            end
            return called[2]
        end
    end,
    __newindex = function(_, name, value)
        local results = pack(native.set_macro(name, value))
        if not results[1] then
            error(results[2], 2)
        end
    end,
})

function print(...)
    local words = {}
    for at = 1, select("#", ...) do
        words[at] = tostring((select(at, ...)))
    end
    native.print(concat(words, "\t"))
end

-- Whoever has used up what there is can't go on by catching the error.
local function is_final(failure)
    return native.exceeded() or native.error_text(failure) == "not enough memory"
end
local function caught(is_done, failure, ...)
    if is_done then
        return true, failure, ...
    elseif is_final(failure) then
        error(failure, 0)
    end
    -- What our own functions fail with is text to whoever catches it.
    return false, native.error_text(failure), ...
end
local resume, pcall_any, xpcall_any = coroutine.resume, pcall, xpcall
pcall = function(...)
    return caught(pcall_any(...))
end
xpcall = function(...)
    return caught(xpcall_any(...))
end
coroutine.resume = function(...)
    return caught(resume(...))
end

os.exit = function()
    error("exit not permitted in this context", 2)
end
os.getenv = guarded(native.getenv)

-- Code is text: what Lua compiled before is not checked, and could do anything.
local function load_text(code, name, ...)
    if select("#", ...) == 0 then
        return load_any(code, name, "t")
    end
    return load_any(code, name, "t", (...))
end
load = function(code, name, _, ...)
    return load_text(code, name, ...)
end
loadfile = function(path, _, ...)
    local file, message = io.open(path, "rb")
    if not file then
        return nil, "cannot open " .. message
    end
    local code = file:read("a")
    file:close()
    return load_text((code:gsub("^#[^\n]*", "")), "@" .. path, ...)
end
dofile = function(path)
    local chunk, message = loadfile(path)
    if not chunk then
        error(message, 0)
    end
    return chunk()
end
package.path = native.path
package.cpath = ""
for at = #package.searchers, 3, -1 do
    table.remove(package.searchers, at)
end

local function refuse(holder, prefix, name)
    local original = holder[name]
    holder[name] = function(...)
        if may(prefix .. name, tostring((...))) then
            return original(...)
        end
        return nil, "not allowed here", 1
    end
end

for _, name in ipairs { "execute", "remove", "rename", "tmpname" } do
    refuse(os, "os.", name)
end
for _, name in ipairs { "popen", "tmpfile" } do
    refuse(io, "io.", name)
end

-- What time it is, and what chance gives, is another thing at every reading.
local function noting(holder, name, is_unknowable)
    local original = holder[name]
    holder[name] = function(...)
        if is_unknowable(...) then
            native.note_effect()
        end
        return original(...)
    end
end
noting(os, "clock", function() return true end)
noting(os, "date", function(_, time) return time == nil end)
noting(os, "time", function(date) return date == nil end)
noting(math, "random", function() return true end)

io.open = function(path, mode)
    if type(path) ~= "string" then
        return io_open(path, mode)
    end
    if mode and mode ~= "r" and mode ~= "rb" and not may("io.open", path) then
        return nil, "not allowed here", 1
    end
    return io_open(local_path(path), mode)
end

local function opened(name)
    local original = placing(io[name])
    io[name] = function(path, ...)
        if type(path) == "string" then
            if name == "output" and not may("io.output", path) then
                return nil, "not allowed here", 1
            end
            path = local_path(path)
        end
        local results = pack(original(path, ...))
        return unpack(results, 1, results.n)
    end
end

opened("input")
opened("lines")
opened("output")

-- Runs code with its values; `name` is what it is called in messages.
return function(code, name, ...)
    local chunk, message = load_any(code, name, "t")
    if not chunk then
        return "syntax", message
    end
    local results = pack(pcall_any(chunk, ...))
    io_stdout:flush()
    if results[1] then
        local words = {}
        for at = 2, results.n do
            words[at - 1] = tostring(results[at])
        end
        return "done", concat(words, "\t")
    end
    local failure = native.exceeded() or native.error_text(results[2])
    if type(failure) ~= "string" and type(failure) ~= "number" then
        failure = "(null)"
    end
    return "failed", tostring(failure)
end
