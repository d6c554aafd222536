package org.jmatte.train.data;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jmatte.InvalidInputException;
import org.jmatte.image.ImageException;
import org.jmatte.image.ImageFiles;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Picture files, decoded when first needed; the latest used are kept up to a number of bytes. A file that cannot be
 * read is named once in the log, and the one after it in the list serves in its place.
 */
final class Pictures {
    private static final Logger LOG = LoggerFactory.getLogger(Pictures.class);

    private final List<Path> files;
    private final int sideLimit;
    private final long byteLimit;
    private final Set<Path> broken = ConcurrentHashMap.newKeySet();
    private final Map<Path, Picture> cache = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    /**
     * @param files in an order that must not change between runs
     * @param sideLimit longer sides are reduced to at most this
     * @param byteLimit of decoded pictures kept
     */
    Pictures(List<Path> files, int sideLimit, long byteLimit) {
        this.files = List.copyOf(files);
        this.sideLimit = sideLimit;
        this.byteLimit = byteLimit;
    }

    int count() {
        return files.size();
    }

    Picture draw(Rng rng) {
        int first = rng.below(files.size());
        for (int i = 0; i < files.size(); i++) {
            Optional<Picture> picture = read(files.get((first + i) % files.size()));
            if (picture.isPresent()) {
                return picture.get();
            }
        }
        throw new InvalidInputException("none of the " + files.size() + " pictures can be read, from " + files.get(0)
                + " on; the log says why");
    }

    /** The picture of a file, or nothing if it cannot be read. */
    Optional<Picture> read(Path file) {
        if (broken.contains(file)) {
            return Optional.empty();
        }
        synchronized (cache) {
            Picture kept = cache.get(file);
            if (kept != null) {
                return Optional.of(kept);
            }
        }
        try {
            Picture picture = Picture.of(ImageFiles.photo(file), sideLimit);
            keep(file, picture);
            return Optional.of(picture);
        } catch (ImageException e) {
            if (broken.add(file)) {
                LOG.warn("{}; it is left out", e.getMessage());
            }
            return Optional.empty();
        }
    }

    private void keep(Path file, Picture picture) {
        synchronized (cache) {
            if (cache.put(file, picture) == null) {
                bytes += picture.rgb().length;
            }
            var eldest = cache.entrySet().iterator();
            while (bytes > byteLimit && cache.size() > 1) {
                bytes -= eldest.next().getValue().rgb().length;
                eldest.remove();
            }
        }
    }
}
